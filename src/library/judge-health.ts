import { formatCount, formatNumber } from '../base/format-count.js';
import type { GoneReport } from '../runtime/device-report.js';

/** How a set is doing: the worst finding decides the state; worst first. */
export function judgeHealth(facts: HealthFacts): Health {
  const findings = CHECKS.map((check) => check(facts)).filter((finding) => finding !== null);
  const worst = findings.reduce((rank, { state }) => Math.max(rank, STATES.indexOf(state)), 0);
  findings.sort((a, b) => STATES.indexOf(b.state) - STATES.indexOf(a.state));
  return { state: STATES[worst]!, findings };
}

/** What the judgement rests on, of a set at work or of what the metadata says. */
export interface HealthFacts {
  readonly remappedUnits: number;
  readonly unitsWithLostBlocks: number;
  readonly freeSpareUnits: number;
  readonly usableSpareUnits: number;
  /** Spares of the set that were not given, and what lives on them. */
  readonly missing: { readonly spareCount: number; readonly unitCount: number };
  /** Copies of the metadata, and those that are stale, damaged or unreadable; null where nobody has looked. */
  readonly copies: { readonly count: number; readonly badCount: number } | null;
  /** Only the metadata is known, and it does not say that the set was stopped. */
  readonly mayBeInUse: boolean;
  /** Devices that do not answer now. */
  readonly gone: readonly GoneReport[];
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

const CHECKS: readonly ((facts: HealthFacts) => Finding | null)[] = [
  function deviceGone({ gone }) {
    const [first] = gone;
    if (first === undefined) return null;
    const others = gone.length === 1 ? '' : ` (and ${gone.length - 1} more)`;
    return {
      id: 'deviceGone',
      state: 'critical',
      status: `${first.path}${others} does not answer: ${first.reason}. Requests that need it ${first.requestsWait ? 'wait' : 'fail'}.`,
      action: 'Check cable and power, and attach it again, under any name; it is recognised by itself.',
    };
  },
  function lostBlocks({ unitsWithLostBlocks }) {
    if (unitsWithLostBlocks === 0) return null;
    return {
      id: 'lostBlocks',
      state: 'critical',
      status: `Logical blocks of ${formatCount(unitsWithLostBlocks, 'unit')} could not be read from the main device any more; reading them gives an error.`,
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
  function spareMissing({ missing: { spareCount, unitCount } }) {
    if (spareCount === 0) return null;
    return {
      id: 'spareMissing',
      state: 'critical',
      status: `${formatCount(spareCount, 'spare')} of the set ${spareCount === 1 ? 'was' : 'were'} not given; ${formatCount(unitCount, 'remapped unit')} on it.`,
      action: 'Give all spares of the set.',
    };
  },
  function damagedCopies({ copies }) {
    if (copies === null || copies.badCount === 0) return null;
    const { count, badCount } = copies;
    return {
      id: 'damagedCopies',
      state: count - badCount <= 1 ? 'critical' : 'degraded',
      status: `${formatCount(badCount, 'metadata copy', 'metadata copies')} of ${count} ${badCount === 1 ? 'is' : 'are'} stale, damaged or unreadable.`,
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
  function notCleanlyStopped({ mayBeInUse }) {
    if (!mayBeInUse) return null;
    return {
      id: 'notCleanlyStopped',
      state: 'healthy',
      status: 'The set is in use now, or was not stopped cleanly.',
      action: 'If it is not in use: none, the next start recovers by itself.',
    };
  },
  function remapped({ remappedUnits }) {
    if (remappedUnits === 0) return null;
    return {
      id: 'remapped',
      state: 'degraded',
      status: `The main device has bad sectors: ${formatCount(remappedUnits, 'unit')} of it ${remappedUnits === 1 ? 'lives' : 'live'} on a spare.`,
      action:
        'Keep a backup, and watch whether the number grows: a growing number means that the disk is dying.',
    };
  },
];
