import type { RemappedDevice } from '../device/remapped-device.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { type Failure, failure } from './failure.js';
import { type HandRefusal, type HandReport, inTurn, unitsWith } from './hand-turns.js';

/**
 * Moves units from a spare to the others, so many at most (0: none, it is only kept from taking units); nothing new is
 * placed on it from now on. Answers how many live there still: the caller goes on until there are none, or nothing moves.
 */
export function emptySpare(
  device: RemappedDevice,
  { spareIndex, limit, acceptsLoss, toSpareIndex, exceptSectors = [] }: EmptySpareCall,
  done: (problem: Failure | undefined, report: EmptyReport | undefined) => void,
): void {
  const { shape, suspension } = device.context;
  const count = shape.spares.length;
  for (const index of toSpareIndex === undefined ? [spareIndex] : [spareIndex, toSpareIndex])
    if (shape.spares[index] === undefined)
      return done(failure('usage', `spare ${index}: the set has ${count}, from 0 on`), undefined);
  if (count === 1)
    return done(failure('usage', 'the only spare of the set: add another one first'), undefined);
  const takesUnits = (index: number): boolean => index !== spareIndex && !suspension.isLeaving(index);
  if (![...shape.spares.keys()].some(takesUnits))
    return done(
      failure('usage', 'all other spares are being emptied: a write to a bad sector would have no place'),
      undefined,
    );
  suspension.setLeaving(spareIndex, true);
  if (toSpareIndex !== undefined) suspension.prefer(spareIndex, toSpareIndex);
  const { living, strays } = unitsOnSpare(device, spareIndex);
  suspension.noteLeft(spareIndex, living.length + strays.length);
  const except = unitsWith(exceptSectors, shape);
  const some = living.filter((mainUnit) => !except.has(mainUnit)).slice(0, limit);
  const finish = (found: HandReport): void => {
    const left = unitsOnSpare(device, spareIndex);
    const leftCount = left.living.length + left.strays.length;
    suspension.noteLeft(spareIndex, leftCount);
    done(undefined, { movedCount: found.doneCount, refusals: found.refusals, leftCount });
  };
  const move = (): void =>
    inTurn(device, some, 'moveAway', finish, (mainUnit, answer) =>
      device.byHand.moveAway(mainUnit, spareIndex, acceptsLoss, (errno) => {
        if (errno === 0) suspension.noteMovedAway(spareIndex);
        answer(errno);
      }),
    );
  if (strays.length === 0) move();
  else device.byHand.retire(strays, move);
}

/** The spare takes units again. */
export function keepSpare({ context }: RemappedDevice, spareIndex: number): void {
  context.suspension.setLeaving(spareIndex, false);
}

export interface EmptySpareCall {
  readonly spareIndex: number;
  readonly limit: number;
  /** Blocks that the spare does not give any more are lost; else their units stay. */
  readonly acceptsLoss: boolean;
  /** Units go there while it takes them; undefined: as the allocation policy says. */
  readonly toSpareIndex?: number | undefined;
  /** Of the main device: units with these are not tried. */
  readonly exceptSectors?: readonly number[] | undefined;
}

export interface EmptyReport {
  readonly movedCount: number;
  readonly refusals: readonly HandRefusal[];
  readonly leftCount: number;
}

/** Main units that live on a spare, and places there that a later move has left. */
function unitsOnSpare(
  { context }: RemappedDevice,
  spareIndex: number,
): { living: number[]; strays: number[] } {
  const { table, shape } = context;
  const { firstUnit, unitCount } = shape.spares[spareIndex]!;
  const living: number[] = [];
  const strays: number[] = [];
  for (let spareUnit = firstUnit; spareUnit < firstUnit + unitCount; spareUnit += 1) {
    if (table.state(spareUnit) !== DescriptorState.mapped) continue;
    const mainUnit = table.mainUnit(spareUnit);
    if (table.find(mainUnit) === spareUnit) living.push(mainUnit);
    else strays.push(spareUnit);
  }
  return { living, strays };
}
