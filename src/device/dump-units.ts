import { SECTOR_BYTES } from '../base/units.js';
import { DeviceShape } from '../engine/device-shape.js';
import { SpareAllocator } from '../engine/spare-allocator.js';
import { type Descriptor, DescriptorReason, DescriptorState } from '../format/descriptor-page.js';
import { reservedUnitRanges } from '../format/reserved-units.js';
import type { Superblock } from '../format/superblock.js';
import { DumpFields, numberIn } from './dump-fields.js';
import type { DumpProblem, Statement } from './dump-statement.js';
import { parseSectors, parseTime, type SectorSpan } from './dump-values.js';
import { type DumpEntry, REASON_WORDS } from './set-dump.js';

/** The units of a dump, as they are read: every spare unit and every unit of the main device once, where it may be. */
export class DumpUnits {
  readonly entries: DumpEntry[] = [];
  readonly #superblock: Superblock;
  readonly #shape: DeviceShape;
  readonly #nowSeconds: number;
  readonly #reserved: SpareAllocator;
  /** By unit, the line that names it. */
  readonly #mainLines = new Map<number, number>();
  readonly #spareLines = new Map<number, number>();

  constructor(superblock: Superblock, nowSeconds: number) {
    this.#superblock = superblock;
    this.#nowSeconds = nowSeconds;
    this.#shape = new DeviceShape(superblock);
    this.#reserved = new SpareAllocator(this.#shape.spareUnitCount);
    for (const { firstUnit, unitCount } of reservedUnitRanges(superblock))
      this.#reserved.takeRange(firstUnit, unitCount);
  }

  add(statement: Statement): DumpProblem | undefined {
    const { line, word, index } = statement;
    if (index !== undefined) return { line, message: `"${index}" has no meaning here` };
    const fields = new DumpFields(statement);
    const isRemap = word === 'remap';
    const mainUnit = isRemap ? this.#mainUnit(fields) : 0;
    const spareUnit = this.#spareUnit(fields);
    const history = this.#history(fields, isRemap);
    const lostMask = isRemap && mainUnit !== undefined ? this.#lostMask(fields, mainUnit) : 0;
    const problem = fields.end();
    if (problem !== undefined) return problem;
    const state = isRemap ? DescriptorState.mapped : DescriptorState.retired;
    this.entries.push([spareUnit!, { state, mainUnit: mainUnit!, lostMask: lostMask!, ...history }]);
    if (isRemap) this.#mainLines.set(mainUnit!, line);
    this.#spareLines.set(spareUnit!, line);
    return undefined;
  }

  #mainUnit(fields: DumpFields): number | undefined {
    const { unitBytes, mainSizeBytes } = this.#shape;
    const sector = fields.number('main', Math.floor(Number.MAX_SAFE_INTEGER / SECTOR_BYTES));
    if (sector === undefined) return undefined;
    const unit = (sector * SECTOR_BYTES) / unitBytes;
    if (!Number.isInteger(unit))
      fields.refuse(`main=${sector}: units start at multiples of ${unitBytes / SECTOR_BYTES}`);
    else if (sector * SECTOR_BYTES >= mainSizeBytes)
      fields.refuse(
        `main=${sector}: is beyond the end of the main device (${mainSizeBytes / SECTOR_BYTES} sectors)`,
      );
    else if (this.#mainLines.has(unit))
      fields.refuse(`main=${sector}: line ${this.#mainLines.get(unit)} says where this unit is`);
    return unit;
  }

  #spareUnit(fields: DumpFields): number | undefined {
    const place = fields.take('spare', 'INDEX:SECTOR', parsePlace);
    if (place === undefined) return undefined;
    const { spareIndex, sector } = place;
    const spare = this.#shape.spares[spareIndex];
    const text = `spare=${spareIndex}:${sector}`;
    const { unitBytes } = this.#shape;
    const local = (sector * SECTOR_BYTES) / unitBytes;
    const unit = (spare?.firstUnit ?? 0) + local;
    if (spare === undefined) fields.refuse(`${text}: there is no spare ${spareIndex}`);
    else if (!Number.isInteger(local))
      fields.refuse(`${text}: units start at multiples of ${unitBytes / SECTOR_BYTES}`);
    else if (local >= spare.unitCount) fields.refuse(`${text}: is beyond the end of the spare`);
    else if (this.#reserved.isTaken(unit))
      fields.refuse(`${text}: metadata is there, or the spare ends there`);
    else if (this.#spareLines.has(unit))
      fields.refuse(`${text}: line ${this.#spareLines.get(unit)} uses it already`);
    return unit;
  }

  #history(
    fields: DumpFields,
    isRemap: boolean,
  ): Pick<Descriptor, 'reason' | 'timeSeconds' | 'errorCount' | 'moveCount'> {
    const standard = isRemap ? DescriptorReason.manual : DescriptorReason.spareError;
    const reasons = `one of ${REASON_WORDS.join(', ')}`;
    const time = (text: string): number | undefined => {
      const seconds = parseTime(text);
      return seconds !== undefined && seconds <= MAX_U32 ? seconds : undefined;
    };
    return {
      reason: fields.take('reason', reasons, parseReason, standard) ?? 0,
      timeSeconds: fields.take('time', 'a time as 2025-11-21T14:53:07Z', time, this.#nowSeconds) ?? 0,
      errorCount: fields.number('errors', 0xffff, 0) ?? 0,
      moveCount: fields.number('moves', 0xff, 0) ?? 0,
    };
  }

  #lostMask(fields: DumpFields, mainUnit: number): number {
    const spans = fields.take('lost', 'sectors as 5000-5003,5007', parseSectors, []) ?? [];
    let mask = 0;
    for (const span of spans) mask |= this.#lostBlocks(fields, mainUnit, span);
    return mask >>> 0;
  }

  #lostBlocks(fields: DumpFields, mainUnit: number, { first, last }: SectorSpan): number {
    const { unitBytes } = this.#shape;
    const blockSectors = this.#superblock.logicalBlockBytes / SECTOR_BYTES;
    const from = first - (mainUnit * unitBytes) / SECTOR_BYTES;
    const end = last + 1 - (mainUnit * unitBytes) / SECTOR_BYTES;
    const text = `lost=${first === last ? first : `${first}-${last}`}`;
    if (from < 0 || end * SECTOR_BYTES > this.#shape.unitLengthBytes(mainUnit)) {
      fields.refuse(`${text}: is not within the unit`);
      return 0;
    }
    if (from % blockSectors === 0 && end % blockSectors === 0)
      return this.#shape.blockMask(from * SECTOR_BYTES, end * SECTOR_BYTES);
    fields.refuse(`${text}: is not whole logical blocks of ${blockSectors} sectors`);
    return 0;
  }
}

/** The map in memory keeps times in 32 bits. */
const MAX_U32 = 0xffff_ffff;

function parsePlace(text: string): { readonly spareIndex: number; readonly sector: number } | undefined {
  const match = /^(\d):(\d{1,13})$/.exec(text);
  return match === null ? undefined : { spareIndex: Number(match[1]), sector: Number(match[2]) };
}

function parseReason(text: string): number | undefined {
  const known = REASON_WORDS.indexOf(text);
  return known === -1 ? numberIn(text, 0xff) : known;
}
