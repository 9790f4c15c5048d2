import { formatSectorRanges } from '../base/sector-ranges.js';
import { SECTOR_BYTES } from '../base/units.js';
import { DeviceShape } from '../engine/device-shape.js';
import { type Descriptor, DescriptorReason, DescriptorState } from '../format/descriptor-page.js';
import { formatUuid } from '../format/set-id.js';
import { OnLost, type Superblock } from '../format/superblock.js';
import { formatTime } from './dump-values.js';

/**
 * A set as text, for people to read and edit, and for `metadata restore`: what the set is, where its copies are, and one
 * line for each unit that moved or must not be used. Says nothing of sequence numbers and counters, so that what was
 * restored gives the same text again. In pieces of many lines.
 */
export function* formatDump(source: DumpSource): Generator<string> {
  yield headOf(source);
  const { unitBytes } = source.superblock;
  const remaps = source.entries.filter(([, { state }]) => state === DescriptorState.mapped);
  remaps.sort(([, one], [, other]) => one.mainUnit - other.mainUnit);
  const retired = source.entries.filter(([, { state }]) => state === DescriptorState.retired);
  retired.sort(([one], [other]) => one - other);
  const writer = new UnitWriter(source.superblock, unitBytes / SECTOR_BYTES);
  yield* inPieces(remaps, (unit, descriptor) => writer.remap(unit, descriptor));
  yield* inPieces(retired, (unit, descriptor) => writer.retired(unit, descriptor));
  yield `${DUMP_END}\n`;
}

export interface DumpSource {
  readonly superblock: Superblock;
  /** Every spare unit that is mapped or retired, in any order. */
  readonly entries: readonly DumpEntry[];
  /** Pages of the map of which no copy is left. */
  readonly lostPages: readonly number[];
}

export type DumpEntry = readonly [spareUnit: number, descriptor: Readonly<Descriptor>];

/** How the text of every dump begins. */
export const DUMP_START = '# The metadata of a dm-remap set';

/** The first statement of every dump; a change that old readers would misread gets another number. */
export const DUMP_HEADER = 'dm-remap-dump 1';

/** The last statement that is written: a text without it was cut off, and what had moved would be read from old places. */
export const DUMP_END = 'end';

/** The words of the text, for writer and reader. */
export const REASON_WORDS: readonly string[] = Object.keys(DescriptorReason);
export const ON_LOST_WORDS: readonly string[] = Object.keys(OnLost);

function headOf({ superblock, lostPages }: DumpSource): string {
  const { mainSizeBytes, logicalBlockBytes, mainModel, mainSerial, mainWwn, unitBytes, onLost } = superblock;
  const lines = [
    `${DUMP_START}; "dmremap metadata restore FILE SPARE..." writes it to its spares again.`,
    '# Lines can be changed, added and removed. Numbers in "main", "spare" and "lost" of remap and retired lines are',
    '# sectors of 512 bytes: remap main=FIRST-SECTOR spare=INDEX:FIRST-SECTOR says where a unit of the main device is.',
    DUMP_HEADER,
    '',
    `set id=${formatUuid(superblock.setId)} name=${quoted(superblock.name)} created=${formatTime(superblock.createdSeconds)}`,
    `main bytes=${mainSizeBytes} block=${logicalBlockBytes} model=${quoted(mainModel)} serial=${quoted(mainSerial)} wwn=${quoted(mainWwn)}${otherMain(superblock)}`,
    `map unit=${unitBytes} on-lost=${ON_LOST_WORDS[onLost]}`,
    ...superblock.spares.map(
      ({ uuid, sizeBytes }, index) => `spare ${index} id=${formatUuid(uuid)} bytes=${sizeBytes}`,
    ),
    ...superblock.copies.map(
      ({ spareIndex, offsetBytes, pageCapacity }, index) =>
        `copy ${index} spare=${spareIndex} offset=${offsetBytes} pages=${pageCapacity}`,
    ),
    ...(lostPages.length === 0 ? [] : incomplete(lostPages)),
    '',
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Left out where the main device is just as large as the set, as almost always. */
function otherMain({ mainDeviceBytes, mainDeviceBlockBytes }: DumpSource['superblock']): string {
  const bytes = mainDeviceBytes === 0 ? '' : ` device-bytes=${mainDeviceBytes}`;
  return mainDeviceBlockBytes === 0 ? bytes : `${bytes} device-block=${mainDeviceBlockBytes}`;
}

function incomplete(lostPages: readonly number[]): string[] {
  return [
    '',
    '# Of these pages of the map no copy is left. What they said is not below: units that had moved would be taken from',
    '# the main device again, with old contents. Remove the line only if you add them, or accept that.',
    `incomplete pages=${formatSectorRanges(lostPages, 1)}`,
  ];
}

class UnitWriter {
  readonly #superblock: Superblock;
  readonly #shape: DeviceShape;
  readonly #unitSectors: number;

  constructor(superblock: Superblock, unitSectors: number) {
    this.#superblock = superblock;
    this.#shape = new DeviceShape(superblock);
    this.#unitSectors = unitSectors;
  }

  remap(spareUnit: number, descriptor: Readonly<Descriptor>): string {
    const mainSector = descriptor.mainUnit * this.#unitSectors;
    const blockSectors = this.#superblock.logicalBlockBytes / SECTOR_BYTES;
    const lost: number[] = [];
    for (let block = 0; block < this.#shape.blocksPerUnit; block += 1)
      if (((descriptor.lostMask >>> block) & 1) === 1) lost.push(mainSector + block * blockSectors);
    const end = lost.length === 0 ? '' : ` lost=${formatSectorRanges(lost, blockSectors)}`;
    return `remap main=${mainSector} ${this.#place(spareUnit)} ${history(descriptor)}${end}\n`;
  }

  retired(spareUnit: number, descriptor: Readonly<Descriptor>): string {
    return `retired ${this.#place(spareUnit)} ${history(descriptor)}\n`;
  }

  #place(spareUnit: number): string {
    const sector = this.#shape.spareOffsetBytes(spareUnit) / SECTOR_BYTES;
    return `spare=${this.#shape.spareIndexOf(spareUnit)}:${sector}`;
  }
}

function history({ reason, timeSeconds, errorCount, moveCount }: Readonly<Descriptor>): string {
  const word = REASON_WORDS[reason] ?? String(reason);
  return `reason=${word} time=${formatTime(timeSeconds)} errors=${errorCount} moves=${moveCount}`;
}

/** JSON knows how to write any text in one line. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function* inPieces(
  entries: readonly DumpEntry[],
  line: (unit: number, descriptor: Readonly<Descriptor>) => string,
): Generator<string> {
  for (let first = 0; first < entries.length; first += LINES_PER_PIECE) {
    const piece = entries.slice(first, first + LINES_PER_PIECE);
    yield piece.map(([unit, descriptor]) => line(unit, descriptor)).join('');
  }
}

const LINES_PER_PIECE = 1000;
