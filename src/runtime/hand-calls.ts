import { ERRNO, errnoName } from '../base/errno.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { RemappedDevice } from '../device/remapped-device.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { type Failure, failure } from './failure.js';

/** Sectors of the main device; whole units are meant, all that have one of them. */
export interface SectorRange {
  readonly firstSector: number;
  readonly sectorCount: number;
}

/** A sector of a spare, the first one of a unit. */
export interface SparePlace {
  readonly spareIndex: number;
  readonly spareSector: number;
}

/** What came of moving or giving back units by hand. */
export interface HandReport {
  /** Units that have another place now. */
  readonly doneCount: number;
  /** Units that were where they should be. */
  readonly alreadyCount: number;
  readonly refusals: readonly HandRefusal[];
}

/** A unit that stays where it was. */
export interface HandRefusal {
  readonly mainSector: number;
  readonly reason: string;
}

export type HandDone = (problem: Failure | undefined, report: HandReport | undefined) => void;

/** One unit after the other; what is refused does not end it. */
export function moveByHand(
  device: RemappedDevice,
  range: SectorRange,
  place: SparePlace | undefined,
  done: HandDone,
): void {
  const { shape } = device.context;
  const units = unitsOf(device, range);
  if (typeof units === 'string') return done(failure('usage', units), undefined);
  const first = place === undefined ? -1 : spareUnitAt(device, place.spareIndex, place.spareSector);
  if (typeof first === 'string') return done(failure('usage', first), undefined);
  const last = first + units.count - 1;
  if (first !== -1 && (last >= shape.spareUnitCount || shape.spareIndexOf(last) !== place!.spareIndex))
    return done(failure('usage', `spare ${place!.spareIndex}: too small for them from there`), undefined);
  if (units.count > MAX_MOVED_UNITS) return done(failure('usage', TOO_MANY), undefined);
  const all = Array.from({ length: units.count }, (_, index) => units.first + index);
  const report = (found: HandReport): void => done(undefined, found);
  inTurn(device, all, 'move', report, (mainUnit, answer) =>
    device.byHand.move(mainUnit, first === -1 ? -1 : first + mainUnit - units.first, answer),
  );
}

/** What lives on spares of this range; the rest is where it should be. */
export function giveBack(device: RemappedDevice, range: SectorRange, done: HandDone): void {
  const units = unitsOf(device, range);
  if (typeof units === 'string') return done(failure('usage', units), undefined);
  const moved = movedUnits(device, units);
  const report = (found: HandReport): void =>
    done(undefined, { ...found, alreadyCount: units.count - moved.length + found.alreadyCount });
  inTurn(device, moved, 'giveBack', report, (mainUnit, answer) => device.byHand.giveBack(mainUnit, answer));
}

function movedUnits({ context }: RemappedDevice, { first, count }: Units): number[] {
  const { table } = context;
  const moved = new Set<number>();
  for (let unit = 0; unit < table.spareUnitCapacity; unit += 1) {
    if (table.state(unit) !== DescriptorState.mapped) continue;
    const mainUnit = table.mainUnit(unit);
    if (mainUnit >= first && mainUnit < first + count) moved.add(mainUnit);
  }
  return [...moved].sort((one, other) => one - other);
}

interface Units {
  readonly first: number;
  readonly count: number;
}

function unitsOf({ context }: RemappedDevice, { firstSector, sectorCount }: SectorRange): Units | string {
  const { mainSizeBytes, unitBytes } = context.shape;
  const sectors = mainSizeBytes / SECTOR_BYTES;
  const fits = sectorCount > 0 && firstSector >= 0 && firstSector + sectorCount <= sectors;
  if (!fits) return `sectors ${firstSector} to ${firstSector + sectorCount - 1}: the device has ${sectors}`;
  const first = Math.floor((firstSector * SECTOR_BYTES) / unitBytes);
  const last = Math.floor(((firstSector + sectorCount) * SECTOR_BYTES - 1) / unitBytes);
  return { first, count: last - first + 1 };
}

function spareUnitAt({ context }: RemappedDevice, spareIndex: number, spareSector: number): number | string {
  const { shape } = context;
  const spare = shape.spares[spareIndex];
  if (spare === undefined) return `spare ${spareIndex}: the set has ${shape.spares.length}`;
  const unitSectors = shape.unitBytes / SECTOR_BYTES;
  if (spareSector % unitSectors !== 0)
    return `spare sector ${spareSector}: not a multiple of ${unitSectors}, a unit`;
  const unit = spareSector / unitSectors;
  return unit < spare.unitCount
    ? spare.firstUnit + unit
    : `spare sector ${spareSector}: beyond the end of the spare`;
}

/** One unit after the other; what is refused does not end it. */
function inTurn(
  { context }: RemappedDevice,
  mainUnits: readonly number[],
  verb: 'move' | 'giveBack',
  done: (report: HandReport) => void,
  act: (mainUnit: number, answer: (errno: number) => void) => void,
): void {
  let doneCount = 0;
  let alreadyCount = 0;
  const refusals: HandRefusal[] = [];
  let nextIndex = 0;
  let isLooping = false;
  let isReady = true;
  const note = (mainUnit: number, errno: number): void => {
    const mainSector = (mainUnit * context.shape.unitBytes) / SECTOR_BYTES;
    if (errno === 0) doneCount += 1;
    else if (errno === ALREADY[verb]) alreadyCount += 1;
    else refusals.push({ mainSector, reason: reasonOf(errno, verb) });
    isReady = true;
    goOn();
  };
  // Answers may come at once: a loop, or the stack would grow with every unit.
  const goOn = (): void => {
    if (isLooping) return;
    isLooping = true;
    while (isReady && nextIndex < mainUnits.length) {
      isReady = false;
      const mainUnit = mainUnits[nextIndex++]!;
      act(mainUnit, (errno) => note(mainUnit, errno));
    }
    isLooping = false;
    if (isReady) done({ doneCount, alreadyCount, refusals });
  };
  goOn();
}

/** More than somebody moves by hand; each takes some I/O, and a call is answered when all are done. */
const MAX_MOVED_UNITS = 1 << 16;
const TOO_MANY = `more than ${MAX_MOVED_UNITS} units at once; move them in parts`;

const ALREADY = { move: ERRNO.EEXIST, giveBack: ERRNO.ENOENT } as const;

function reasonOf(errno: number, verb: 'move' | 'giveBack'): string {
  switch (errno) {
    case ERRNO.EBUSY:
      return 'the place on the spare holds another unit, or metadata';
    case ERRNO.ENODATA:
      return 'blocks of it are lost; write them first';
    case ERRNO.ENOSPC:
      return 'no spare has room';
    case ERRNO.EIO:
      return verb === 'move'
        ? 'main device or spare did not take part'
        : 'the main device did not take its data, or the spare did not give it';
    default:
      return errnoName(errno);
  }
}
