import type { InspectReport, RemapReport } from '../../../../src/library/offline-types.js';
import { dmremap } from './dmremap.js';
import type { Guest } from './guest.js';

/** What `dmremap inspect --json` prints. */
export type Inspection = InspectReport & {
  readonly state: string;
  readonly findings: readonly { readonly id: string }[];
};

/** What the metadata on the spares of a set says. */
export async function inspectSet(guest: Guest, spares: readonly string[]): Promise<Inspection> {
  const { stdout } = await dmremap(guest, ['inspect', '--json', ...spares]);
  return JSON.parse(stdout) as Inspection;
}

/** The remaps of a set in the order of the main device. */
export async function remapsOf(guest: Guest, spares: readonly string[]): Promise<readonly RemapReport[]> {
  return (await inspectSet(guest, spares)).remaps;
}

/** Remaps without what differs from run to run: where, why, and what is lost. */
export function describeRemaps(remaps: readonly RemapReport[]): string[] {
  return remaps.map(({ mainSector, reason, lostSectors }) => {
    const lost = lostSectors.length === 0 ? '' : `, lost ${lostSectors.join(' ')}`;
    return `${mainSector}: ${reason}${lost}`;
  });
}
