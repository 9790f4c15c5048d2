import { SECTOR_BYTES } from '../base/units.js';
import type { RemappedDevice } from '../device/remapped-device.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { type Failure, failure } from './failure.js';
import { type HandReport, inTurn } from './hand-turns.js';

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

export type HandDone = (problem: Failure | undefined, report: HandReport | undefined) => void;

/** One unit after the other; what is refused does not end it. On a spare that is being emptied no wish gives a place. */
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

/** More than somebody moves by hand; each takes some I/O, and a call is answered when all are done. */
const MAX_MOVED_UNITS = 1 << 16;
const TOO_MANY = `more than ${MAX_MOVED_UNITS} units at once; move them in parts`;
