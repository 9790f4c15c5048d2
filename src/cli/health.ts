import { type Health, type HealthState, judgeHealth } from '../library/judge-health.js';
import type { InspectReport } from '../library/offline-types.js';
import { valuesOfReports } from '../settings/settings-in-force.js';
import type { Colour } from './output.js';

/** How a set is doing, judged from its metadata. */
export function healthOf(report: InspectReport): Health {
  const { remaps, spares, copies, freeSpareUnits, usableSpareUnits } = report;
  const missing = spares.filter((spare) => spare.path === null).map(({ index }) => index);
  const given = copies.filter((copy) => !missing.includes(copy.spareIndex));
  return judgeHealth({
    remappedUnits: remaps.length,
    unitsWithLostBlocks: remaps.filter((remap) => remap.lostSectors.length > 0).length,
    freeSpareUnits,
    usableSpareUnits,
    missing: {
      spareCount: missing.length,
      unitCount: remaps.filter((remap) => missing.includes(remap.spareIndex)).length,
      isMapKnown: report.outOfReachPages === 0,
      copyCount: copies.length - given.length,
    },
    doubtful: {
      staleSpares: spares.filter(({ isStale }) => isStale).map(({ path, index }) => path ?? `spare ${index}`),
      pageCount: report.maybeOutdatedPages,
    },
    copies: {
      count: given.length,
      badCount: given.filter((copy) => copy.superblock !== 'good' || copy.badPages > 0).length,
    },
    mayBeInUse: mayBeInUse(report),
    mainUnits: Math.ceil(report.main.sizeBytes / report.unitBytes),
    settings: valuesOfReports(report.settings),
    suspended: false,
    gone: [],
    emptying: [],
    takingNone: [],
    remapLimitReached: false,
  });
}

/** Opened and not marked as stopped since: what the metadata says now may not be all. */
export function mayBeInUse({ cleanShutdown, openCount }: InspectReport): boolean {
  return openCount > 0 && !cleanShutdown;
}

export const STATE_COLOUR: Readonly<Record<HealthState, Colour>> = {
  healthy: 'green',
  degraded: 'yellow',
  critical: 'red',
};
