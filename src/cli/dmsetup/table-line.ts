import { failed, ok, type Result } from '../../base/result.js';
import type { CreatedAs } from '../../control/schema/device.js';
import { escapePath, pathOf } from './escaped-path.js';

/** One line of a table as dmsetup takes it, with a target of the kernel module. Numbers are sectors of 512 bytes. */
export interface TableLine {
  readonly sectorCount: number;
  readonly main: string;
  readonly spare: string;
  readonly createdAs: CreatedAs;
}

/** The error says what is wrong, and what a line looks like. */
export function parseTable(text: string): Result<TableLine, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const [line] = lines;
  if (line === undefined) return failed(`the table is empty; expected "${EXAMPLE}"`);
  if (lines.length > 1) return failed(`the table has ${lines.length} lines; a set is one target, one line`);
  return parseLine(line.trim().split(/[ \t]+/));
}

function parseLine([start, length, target, ...args]: readonly string[]): Result<TableLine, string> {
  const sectorCount = sectorsOf(length);
  if (sectorsOf(start) === undefined || sectorCount === undefined || target === undefined)
    return failed(`expected "${EXAMPLE}"`);
  if (sectorsOf(start) !== 0) return failed(`starts at sector ${start}; a set is the whole device, from 0`);
  if (sectorCount === 0) return failed('0 sectors; give the length of the main device');
  if (target === 'remap') return parseRemap(sectorCount, args);
  if (!isPairTarget(target)) return failed(`target ${target}: expected one of ${TARGETS.join(', ')}`);
  const [main, spare] = args;
  if (main === undefined || spare === undefined || args.length !== 2)
    return failed(`target ${target}: expected two arguments, MAIN SPARE; there are ${args.length}`);
  const paths = { main: pathOf(main), spare: pathOf(spare) };
  return ok({ sectorCount, ...paths, createdAs: { target, spareRange: null } });
}

function parseRemap(sectorCount: number, args: readonly string[]): Result<TableLine, string> {
  const [main, spare, start, length] = args;
  if (main === undefined || spare === undefined || args.length !== 4)
    return failed(
      `target remap: expected MAIN SPARE SPARE_START SPARE_LEN; there are ${args.length} arguments`,
    );
  const startSector = sectorsOf(start);
  const spareSectorCount = sectorsOf(length);
  if (startSector === undefined) return failed(`spare_start ${start}: expected a sector number`);
  if (spareSectorCount === undefined || spareSectorCount === 0)
    return failed(`spare_len ${length}: expected a number of sectors, 1 or more`);
  const spareRange = { startSector, sectorCount: spareSectorCount };
  const paths = { main: pathOf(main), spare: pathOf(spare) };
  return ok({ sectorCount, ...paths, createdAs: { target: 'remap', spareRange } });
}

/** What `dmsetup table` prints of a set, without its name. */
export function formatTableLine({ sectorCount, main, spare, createdAs }: TableLine): string {
  const { target, spareRange } = createdAs;
  const range = spareRange === null ? '' : ` ${spareRange.startSector} ${spareRange.sectorCount}`;
  return `0 ${sectorCount} ${target} ${escapePath(main)} ${escapePath(spare)}${range}`;
}

/** `createdAs` as one argument of `dmremap run`. */
export function formatCreatedAs({ target, spareRange }: CreatedAs): string {
  return spareRange === null ? target : `${target}:${spareRange.startSector}:${spareRange.sectorCount}`;
}

/** Undefined for anything that `formatCreatedAs` does not write. */
export function parseCreatedAs(text: string): CreatedAs | undefined {
  const [target, start, length, ...more] = text.split(':');
  if (target !== undefined && isPairTarget(target))
    return start === undefined ? { target, spareRange: null } : undefined;
  const startSector = sectorsOf(start);
  const sectorCount = sectorsOf(length);
  if (target !== 'remap' || startSector === undefined || sectorCount === undefined || more.length > 0)
    return undefined;
  return { target, spareRange: { startSector, sectorCount } };
}

type PairTarget = (typeof PAIR_TARGETS)[number];

const PAIR_TARGETS = ['dm-remap-v4', 'dm-remap-v4-real', 'dm-remap'] as const;
const TARGETS = ['remap', ...PAIR_TARGETS];
const EXAMPLE = '0 SECTORS dm-remap-v4 MAIN SPARE';

function isPairTarget(text: string): text is PairTarget {
  return (PAIR_TARGETS as readonly string[]).includes(text);
}

function sectorsOf(text: string | undefined): number | undefined {
  const number = Number(text);
  return text !== undefined && /^\d+$/.test(text) && Number.isSafeInteger(number) ? number : undefined;
}
