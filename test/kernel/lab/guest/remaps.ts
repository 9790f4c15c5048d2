import { dmremap } from './dmremap.js';
import type { Guest } from './guest.js';

/** A unit that lives on a spare, as `dmremap remaps --json` tells it; sectors of 512 bytes. */
export interface Remap {
  readonly mainSector: number;
  readonly sectorCount: number;
  readonly reason: string;
  readonly lostSectors: readonly number[];
}

/** What was moved, by address. Only while nothing serves the spares. */
export async function remapsOf(guest: Guest, spares: readonly string[]): Promise<readonly Remap[]> {
  const { stdout } = await dmremap(guest, ['remaps', '--json', ...spares]);
  return (JSON.parse(stdout) as { remaps: Remap[] }).remaps;
}

/** First sectors of the units that hold these sectors. */
export function unitsOf(sectors: readonly number[], unitSectors = 8): number[] {
  return [...new Set(sectors.map((sector) => sector - (sector % unitSectors)))].sort((a, b) => a - b);
}

/** Makes a disk look as if it was never written. It must be able to write zeroes. */
export async function blank(guest: Guest, path: string): Promise<void> {
  await guest.run(['blkdiscard', '--zeroout', path]);
}
