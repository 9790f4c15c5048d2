import { formatUuid } from '../format/set-id.js';
import type { Superblock } from '../format/superblock.js';

/** The lines of a dump that say what can't change in a set, where two of them differ. */
export function differingLines(one: Superblock, other: Superblock): string[] {
  const [is, wanted] = [layoutLines(one), layoutLines(other)];
  return Object.keys({ ...is, ...wanted }).filter((line) => is[line] !== wanted[line]);
}

function layoutLines(superblock: Superblock): Record<string, string> {
  const { mainSizeBytes, logicalBlockBytes, unitBytes, spares, copies } = superblock;
  const rows: [string, readonly unknown[]][] = [
    ['main', [mainSizeBytes, logicalBlockBytes]],
    ['map', [unitBytes]],
    ...spares.map(({ uuid, sizeBytes }, index): [string, unknown[]] => [
      `spare ${index}`,
      [formatUuid(uuid), sizeBytes],
    ]),
    ...copies.map(({ spareIndex, offsetBytes, pageCapacity }, index): [string, unknown[]] => [
      `copy ${index}`,
      [spareIndex, offsetBytes, pageCapacity],
    ]),
  ];
  return Object.fromEntries(rows.map(([line, values]) => [line, values.join(' ')]));
}
