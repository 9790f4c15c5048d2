import { assert } from '../base/assert.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { InspectReport, RemapReport } from '../library/offline-types.js';

/**
 * The device as a device-mapper table: which sectors lie on the main device, which on a spare, and which are lost.
 * Covers every sector of the main device exactly once, in order, with neighbours that continue each other merged.
 */
export function dmTableOf(report: TableSource): DmTableRow[] {
  const rows: DmTableRow[] = [];
  const endSector = report.main.sizeBytes / SECTOR_BYTES;
  let at = 0;
  for (const remap of [...report.remaps].sort((a, b) => a.mainSector - b.mainSector)) {
    assert(remap.mainSector >= at, `two remaps of sector ${remap.mainSector}`);
    addRow(rows, { startSector: at, sectorCount: remap.mainSector - at, target: 'main', offsetSector: at });
    for (const row of rowsOfRemap(remap, report.logicalBlockBytes / SECTOR_BYTES)) addRow(rows, row);
    at = remap.mainSector + remap.sectorCount;
  }
  assert(at <= endSector, 'every remap lies on the main device');
  addRow(rows, { startSector: at, sectorCount: endSector - at, target: 'main', offsetSector: at });
  return rows;
}

export type TableSource = Pick<InspectReport, 'main' | 'logicalBlockBytes' | 'remaps'>;

/** Sectors of 512 bytes. `target`: the main device, a spare by its index, or nothing that has the data. */
export interface DmTableRow {
  readonly startSector: number;
  readonly sectorCount: number;
  readonly target: 'main' | number | 'lost';
  /** First sector on the target; 0 for `lost`. */
  readonly offsetSector: number;
}

/**
 * `start length linear device offset`, or `start length error` for what is lost: the lines of a `dmsetup` table
 * (Documentation/admin-guide/device-mapper/linear.rst).
 */
export function formatDmTable(
  rows: readonly DmTableRow[],
  mainPath: string,
  sparePaths: readonly string[],
): string {
  return rows.map((row) => `${formatRow(row, mainPath, sparePaths)}\n`).join('');
}

function formatRow(row: DmTableRow, mainPath: string, sparePaths: readonly string[]): string {
  const place = `${row.startSector} ${row.sectorCount}`;
  if (row.target === 'lost') return `${place} error`;
  const path = row.target === 'main' ? mainPath : sparePaths[row.target];
  assert(path !== undefined, `spare ${row.target} has a path`);
  // For the kernel a backslash takes what follows as it is, also a blank (dm_split_args in drivers/md/dm-table.c).
  return `${place} linear ${path.replace(/[\\\s]/g, '\\$&')} ${row.offsetSector}`;
}

/** A unit on a spare, cut where its lost blocks begin and end. */
function* rowsOfRemap(remap: RemapReport, blockSectors: number): Generator<DmTableRow> {
  const lost = new Set(remap.lostSectors);
  for (let within = 0; within < remap.sectorCount; within += blockSectors) {
    const startSector = remap.mainSector + within;
    const sectorCount = Math.min(blockSectors, remap.sectorCount - within);
    yield lost.has(startSector)
      ? { startSector, sectorCount, target: 'lost', offsetSector: 0 }
      : { startSector, sectorCount, target: remap.spareIndex, offsetSector: remap.spareSector + within };
  }
}

function addRow(rows: DmTableRow[], row: DmTableRow): void {
  if (row.sectorCount === 0) return;
  const last = rows.at(-1);
  if (last === undefined || !continues(last, row)) rows.push(row);
  else rows[rows.length - 1] = { ...last, sectorCount: last.sectorCount + row.sectorCount };
}

function continues(last: DmTableRow, row: DmTableRow): boolean {
  if (last.target !== row.target) return false;
  return row.target === 'lost' || last.offsetSector + last.sectorCount === row.offsetSector;
}
