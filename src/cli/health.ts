import type { InspectReport } from '../library/offline-types.js';
import { formatCount, formatNumber } from './sizes.js';

/** How a set is doing, judged from its metadata: the worst finding decides the state; worst first. */
export function healthOf(report: InspectReport): Health {
  const findings = CHECKS.map((check) => check(report)).filter((finding) => finding !== null);
  const worst = findings.reduce((rank, { state }) => Math.max(rank, STATES.indexOf(state)), 0);
  findings.sort((a, b) => STATES.indexOf(b.state) - STATES.indexOf(a.state));
  return { state: STATES[worst]!, findings };
}

/** Opened and not marked as stopped since: what the metadata says now may not be all. */
export function mayBeInUse({ cleanShutdown, openCount }: InspectReport): boolean {
  return openCount > 0 && !cleanShutdown;
}

export interface Health {
  readonly state: HealthState;
  readonly findings: readonly Finding[];
}

/** `healthy`: nothing to do. `degraded`: works, plan ahead. `critical`: data is lost or will be with the next error. */
export type HealthState = (typeof STATES)[number];

export interface Finding {
  /** Stable name, for programs. */
  readonly id: string;
  readonly state: HealthState;
  /** What it means. */
  readonly status: string;
  /** What to do. */
  readonly action: string;
}

const STATES = ['healthy', 'degraded', 'critical'] as const;

/** Under this part of the spare left, it is time to get another one. */
const LOW_SPARE = 0.1;

const CHECKS: readonly ((report: InspectReport) => Finding | null)[] = [
  function lostBlocks({ remaps }) {
    const blockCount = remaps.reduce((sum, remap) => sum + remap.lostSectors.length, 0);
    if (blockCount === 0) return null;
    return {
      id: 'lostBlocks',
      state: 'critical',
      status: `${formatCount(blockCount, 'logical block')} could not be read from the main device any more; reading them gives an error.`,
      action:
        'Find the files concerned (dmremap remaps lists the sectors) and restore them; writing a lost block makes it good again.',
    };
  },
  function noSpareLeft({ freeSpareUnits }) {
    if (freeSpareUnits > 0) return null;
    return {
      id: 'noSpareLeft',
      state: 'critical',
      status: 'No spare unit is left: the next bad sector gives a write error.',
      action: 'Copy the data to another disk now, or format a larger spare after copying.',
    };
  },
  function spareMissing({ spares, remaps }) {
    const missing = spares.filter((spare) => spare.path === null);
    if (missing.length === 0) return null;
    const unitCount = remaps.filter((remap) =>
      missing.some((spare) => spare.index === remap.spareIndex),
    ).length;
    return {
      id: 'spareMissing',
      state: 'critical',
      status: `${formatCount(missing.length, 'spare')} of the set ${missing.length === 1 ? 'was' : 'were'} not given; ${formatCount(unitCount, 'remapped unit')} on it.`,
      action: 'Give all spares of the set.',
    };
  },
  function damagedCopies({ copies }) {
    const badCount = copies.filter((copy) => copy.superblock !== 'good' || copy.badPages > 0).length;
    if (badCount === 0) return null;
    const goodCount = copies.length - badCount;
    return {
      id: 'damagedCopies',
      state: goodCount <= 1 ? 'critical' : 'degraded',
      status: `${formatCount(badCount, 'metadata copy', 'metadata copies')} of ${copies.length} ${badCount === 1 ? 'is' : 'are'} stale, damaged or unreadable.`,
      action:
        'They are rewritten at the next start (dmremap run). If they turn bad again, the spare device is failing: replace it.',
    };
  },
  function lowSpare({ freeSpareUnits, usableSpareUnits }) {
    if (freeSpareUnits === 0 || freeSpareUnits >= usableSpareUnits * LOW_SPARE) return null;
    return {
      id: 'lowSpare',
      state: 'degraded',
      status: `Only ${formatNumber(freeSpareUnits)} of ${formatCount(usableSpareUnits, 'spare unit')} are left.`,
      action: 'Plan to copy the data to another disk.',
    };
  },
  function notCleanlyStopped(report) {
    if (!mayBeInUse(report)) return null;
    return {
      id: 'notCleanlyStopped',
      state: 'healthy',
      status: 'The set is in use now, or was not stopped cleanly.',
      action: 'If it is not in use: none, the next start recovers by itself.',
    };
  },
  function remapped({ remaps }) {
    if (remaps.length === 0) return null;
    return {
      id: 'remapped',
      state: 'degraded',
      status: `The main device has bad sectors: ${formatCount(remaps.length, 'unit')} of it ${remaps.length === 1 ? 'lives' : 'live'} on a spare.`,
      action:
        'Keep a backup, and watch whether the number grows: a growing number means that the disk is dying.',
    };
  },
];
