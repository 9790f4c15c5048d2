import { Counter, type Counters } from '../engine/counters.js';
import { DescriptorState } from '../format/descriptor-page.js';
import type { BlockModel } from './block-model.js';
import { Version, versionAt } from './block-pattern.js';
import { checkBlockStatus } from './check-block-status.js';
import { check } from './check-failure.js';
import { checkMemory } from './check-memory.js';
import type { ReadResult } from './client.js';
import type { Excuses } from './excuses.js';
import { freeUnitCount, isReserved } from './free-units.js';
import type { GrowingNumbers } from './growing-numbers.js';
import type { Ledger } from './ledger.js';
import type { Machine } from './machine.js';
import type { MappingOnDisk, SetOnDisk, SuperblockOnDisk } from './metadata-reader.js';
import { copyAt, placeOfUnit, readExisting } from './metadata-reader.js';
import { onesIn } from './ones-in.js';
import type { Told } from './told.js';

/**
 * Nothing is under way and all devices are there: reads every block, and compares what the device does with what is on
 * the disks, as docs/on-disk-format.md says it is to be read. Answers by block which version was read, or `FAILED`.
 */
export function checkAtRest(parts: RestParts): Int32Array {
  const { machine, mayHoldMore } = parts;
  const zeroFilledBefore = totalCountersOf(machine)[Counter.lostBlocksZeroFilled]!;
  const versions = readAll(parts);
  const zeroFilled = totalCountersOf(machine)[Counter.lostBlocksZeroFilled]! - zeroFilledBefore;
  const set = readExisting(machine.spareBytes);
  checkZeroFilled(set, versions, zeroFilled);
  checkStructure(parts, set);
  checkClaims(parts, set);
  checkPlacement(parts, set, versions);
  checkInspect(machine, set);
  if (!mayHoldMore()) checkBlockStatus(machine, set, placesOf(set));
  checkPlacesLeft(parts);
  checkMemory(machine, parts.ledger, set);
  parts.told.check(set, totalCountersOf(machine));
  if (!machine.scenario.hasCommands) checkCopies(parts, set);
  parts.growing.check(set.superblock, parts.excuses.hadFlushFailure);
  return versions;
}

export interface RestParts {
  readonly machine: Machine;
  readonly model: BlockModel;
  readonly ledger: Ledger;
  readonly excuses: Excuses;
  readonly growing: GrowingNumbers;
  readonly told: Told;
  /** Of a commit that failed the disks may hold more than the device goes by. */
  readonly mayHoldMore: () => boolean;
  readonly lostReadsAsZero: boolean;
  /** One read, alone. */
  readonly read: (first: number, count: number) => ReadResult;
}

/** By block: what it reads as; `FAILED` where it does not. */
function readAll({ machine, model, read }: RestParts): Int32Array {
  const versions = new Int32Array(model.blockCount).fill(FAILED);
  const chunk = READ_BYTES / machine.scenario.blockBytes;
  const readChunk = (first: number, count: number): void => {
    const { errno, versionOf } = read(first, count);
    if (errno === 0) {
      for (let block = first; block < first + count; block += 1) versions[block] = versionOf(block);
    } else if (count > 1) {
      const half = count >> 1;
      readChunk(first, half);
      readChunk(first + half, count - half);
    }
  };
  for (let first = 0; first < model.blockCount; first += chunk)
    readChunk(first, Math.min(chunk, model.blockCount - first));
  return versions;
}

/** One place for each unit, none of them where metadata is, and none that was not called for. */
function checkStructure(
  { machine, ledger, mayHoldMore }: RestParts,
  { superblock, mappings, retired }: SetOnDisk,
): void {
  const { table } = machine.life!.device!.context;
  const unitCount = Math.ceil(superblock.mainSizeBytes / superblock.unitBytes);
  for (const { spareUnit, mainUnit } of mappings) {
    check(mainUnit < unitCount, 'structure', `spare unit ${spareUnit} holds unit ${mainUnit}, which is none`);
    const { spareIndex, offsetBytes } = placeOfUnit(superblock, spareUnit);
    const overlaps = isReserved(superblock, spareIndex, offsetBytes);
    check(!overlaps, 'structure', `spare unit ${spareUnit} (unit ${mainUnit}) overlaps metadata`);
    const hasReason = ledger.hasReasonToMove(mainUnit);
    check(hasReason, 'burntSpare', `unit ${mainUnit} was moved, and no block of it ever failed`);
  }
  for (const spareUnit of retired) {
    const isRetired = mayHoldMore() || table.state(spareUnit) === DescriptorState.retired;
    check(isRetired, 'structure', `spare unit ${spareUnit} is retired`);
    const { spareIndex, offsetBytes } = placeOfUnit(superblock, spareUnit);
    const hasReason = ledger.hasReasonToRetire(machine.spares[spareIndex]!, offsetBytes);
    check(hasReason, 'burntSpare', `spare unit ${spareUnit} is retired, and no block of it ever failed`);
  }
}

/** A place that a unit has left does not claim it any more, unless that could not be written. */
function checkClaims({ mayHoldMore }: RestParts, { mappings }: SetOnDisk): void {
  if (mayHoldMore()) return;
  const claimed = new Set<number>();
  for (const { mainUnit, spareUnit } of mappings) {
    check(
      !claimed.has(mainUnit),
      'structure',
      `unit ${mainUnit} has another place than spare unit ${spareUnit}`,
    );
    claimed.add(mainUnit);
  }
}

/** What a read returned is what lies at the place that the metadata names. */
function checkPlacement(
  { machine, told, mayHoldMore, lostReadsAsZero }: RestParts,
  set: SetOnDisk,
  versions: Int32Array,
): void {
  const { superblock } = set;
  const { blockBytes, unitBytes } = superblock;
  const blocksPerUnit = unitBytes / blockBytes;
  const places = placesOf(set);
  for (const [block, version] of versions.entries()) {
    const unit = Math.floor(block / blocksPerUnit);
    const mapping = places.get(unit);
    const within = block % blocksPerUnit;
    const isLost = mapping !== undefined && ((mapping.lostMask >>> within) & 1) === 1;
    if (version === FAILED) {
      const isRemembered = isLost || !told.isAllRemembered(totalCountersOf(machine));
      check(isRemembered, 'placement', `block ${block} can't be read, and is not on record as lost`);
      continue;
    }
    if (isLost) {
      const isZeroed = lostReadsAsZero && version === Version.zero;
      check(isZeroed, 'placement', `block ${block} is lost on disk and reads as version ${version}`);
      continue;
    }
    if (lostReadsAsZero && isUnreadableZeroed(machine, set, mapping, block, version)) continue;
    const held = versionAtPlace(machine, set, mapping, block);
    check(
      held === version || mayHoldMore(),
      'placement',
      `block ${block} reads as version ${version}; ${describe(mapping)} holds ${held}`,
    );
  }
}

/** Zeroes that were read in the place of lost blocks are counted (P3). Of a read that fails some may be. */
function checkZeroFilled(set: SetOnDisk, versions: Int32Array, counted: number): void {
  if (versions.includes(FAILED)) return;
  const lost = [...placesOf(set).values()].reduce((sum, { lostMask }) => sum + onesIn(lostMask), 0);
  check(
    counted >= lost,
    'counters',
    `${counted} lost blocks are counted that were read as zeroes, of ${lost}`,
  );
}

function totalCountersOf(machine: Machine): Counters {
  return machine.life!.device!.context.totalCounters();
}

/** It could not be moved, so that it is lost is on record nowhere. */
function isUnreadableZeroed(
  { disks }: Machine,
  { superblock }: SetOnDisk,
  mapping: MappingOnDisk | undefined,
  block: number,
  version: number,
): boolean {
  if (version !== Version.zero) return false;
  const { target, offsetBytes } = placeOfBlock(superblock, mapping, block);
  return disks[target]!.faults.findFailing('read', offsetBytes / superblock.blockBytes, 1) !== -1;
}

function versionAtPlace(
  machine: Machine,
  { superblock }: SetOnDisk,
  mapping: MappingOnDisk | undefined,
  block: number,
): number {
  const { target, offsetBytes } = placeOfBlock(superblock, mapping, block);
  return versionAt(machine.disks[target]!.view, offsetBytes, superblock.blockBytes, block);
}

/** Target 0 is the main device. */
function placeOfBlock(
  superblock: SuperblockOnDisk,
  mapping: MappingOnDisk | undefined,
  block: number,
): { readonly target: number; readonly offsetBytes: number } {
  const { blockBytes, unitBytes } = superblock;
  if (mapping === undefined) return { target: 0, offsetBytes: block * blockBytes };
  const { spareIndex, offsetBytes } = placeOfUnit(superblock, mapping.spareUnit);
  return { target: 1 + spareIndex, offsetBytes: offsetBytes + ((block * blockBytes) % unitBytes) };
}

/** By unit: its place. Of two, the later move. */
export function placesOf({ mappings }: SetOnDisk): Map<number, MappingOnDisk> {
  const places = new Map<number, MappingOnDisk>();
  for (const mapping of mappings) {
    const other = places.get(mapping.mainUnit);
    if (other !== undefined) {
      const ahead = (mapping.moveCount - other.moveCount) & 0xff;
      // One apart, or more where the commit of a move in between had failed.
      check(ahead !== 0 && ahead !== 128, 'structure', `unit ${mapping.mainUnit} has two owners`);
      if (ahead > 128) continue;
    }
    places.set(mapping.mainUnit, mapping);
  }
  return places;
}

/** What inspect would print is what the metadata says to us. */
function checkInspect(machine: Machine, set: SetOnDisk): void {
  const inspected = machine.inspect();
  const why = inspected.ok ? '' : inspected.error.kind;
  check(inspected.ok, 'inspect', `inspect refuses a set that is at work: ${why}`);
  const { table } = inspected.value;
  const places = placesOf(set);
  check(
    table.mappedCount === places.size,
    'inspect',
    `inspect tells of ${table.mappedCount} of ${places.size} moves`,
  );
  for (const [unit, { spareUnit, lostMask }] of places) {
    const isSame = table.find(unit) === spareUnit && table.lostMask(spareUnit) === lostMask;
    check(isSame, 'inspect', `inspect tells something else of unit ${unit}`);
  }
}

/** No place is forgotten, or counted as free while it is none. */
function checkPlacesLeft({ machine, mayHoldMore }: RestParts): void {
  if (mayHoldMore()) return;
  const { allocator } = machine.life!.device!.context;
  const left = freeUnitCount(machine);
  check(allocator.freeCount === left, 'structure', `${allocator.freeCount} places are free, not ${left}`);
}

/** Every copy that has met with no trouble has the newest of everything (rules R1, R3; I2). */
function checkCopies({ ledger }: RestParts, { superblock, holders, pages }: SetOnDisk): void {
  for (const [copyIndex, { spareIndex }] of superblock.copies.entries()) {
    const hadTrouble = ledger.metadataTrouble.some(
      ({ target, offsetBytes }) =>
        target === 1 + spareIndex &&
        (offsetBytes === -1 || copyAt(superblock, spareIndex, offsetBytes) === copyIndex),
    );
    if (hadTrouble) continue;
    check(holders[copyIndex]!, 'copies', `copy ${copyIndex} has an old superblock`);
    for (const { page, holders: ofPage } of pages)
      check(ofPage[copyIndex]!, 'copies', `copy ${copyIndex} has an old version of page ${page}`);
  }
}

function describe(mapping: MappingOnDisk | undefined): string {
  return mapping === undefined ? 'the main device' : `spare unit ${mapping.spareUnit}`;
}

const FAILED = -100;
const READ_BYTES = 32 << 10;
