import { healthOf } from '../../../../src/cli/health.js';
import { formatSpares } from '../../../../src/library/format-spares.js';
import { inspectSpares } from '../../../../src/library/inspect-spares.js';
import type { Health } from '../../../../src/library/judge-health.js';
import type { InspectReport, RemapReport } from '../../../../src/library/offline-types.js';

// In this process, through the library: emulated processors take seconds to start `dmremap`, which does the same.

/** As `dmremap format --force`. */
export async function formatSet(set: {
  readonly main: string;
  readonly spares: readonly string[];
}): Promise<void> {
  await formatSpares({ main: set.main, spares: set.spares, force: true });
}

/** What `dmremap inspect --json` says. */
export async function inspectSet(spares: readonly string[]): Promise<InspectReport & Health> {
  const report = await inspectSpares(spares);
  return { ...report, ...healthOf(report) };
}

/** The remaps of a set in the order of the main device. */
export async function remapsOf(spares: readonly string[]): Promise<readonly RemapReport[]> {
  return (await inspectSpares(spares)).remaps;
}

/** Remaps without what differs from run to run: where, why, and what is lost. */
export function describeRemaps(remaps: readonly RemapReport[]): string[] {
  return remaps.map(({ mainSector, reason, lostSectors }) => {
    const lost = lostSectors.length === 0 ? '' : `, lost ${lostSectors.join(' ')}`;
    return `${mainSector}: ${reason}${lost}`;
  });
}
