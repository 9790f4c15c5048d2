import type { RemappedDevice } from '../device/remapped-device.js';
import type { SpareAllocator } from '../engine/spare-allocator.js';
import { DescriptorState } from '../format/descriptor-page.js';
import type { Failure } from './failure.js';
import { type HandRefusal, inTurn, unitsWith } from './hand-turns.js';

/**
 * Puts units together on the spares that are neighbours on the main device, so many moves at most (0: only looks). Answers
 * how many runs of neighbours still lie in pieces: the caller goes on until none has room somewhere, or nothing moves. Runs
 * with one of the sectors `exceptSectors` are left as they are.
 */
export function consolidate(
  device: RemappedDevice,
  { limit, exceptSectors = [] }: ConsolidateCall,
  done: (problem: Failure | undefined, report: ConsolidationReport | undefined) => void,
): void {
  const { allocator, shape, suspension } = device.context;
  const ranges = [...shape.spares].filter((_, spareIndex) => !suspension.isLeaving(spareIndex));
  const except = unitsWith(exceptSectors, shape);
  const moves = new Map<number, number>();
  let planned: SpareAllocator | undefined;
  for (const run of scatteredRuns(device)) {
    if (limit === 0 || (moves.size > 0 && moves.size + run.length > limit)) break;
    if (run.some((mainUnit) => except.has(mainUnit))) continue;
    // What an earlier run of this call is going to take is not free for this one.
    planned ??= allocator.copy();
    const start = takeRun(planned, run.length, ranges);
    if (start === -1) continue;
    for (const [nth, mainUnit] of run.entries()) moves.set(mainUnit, start + nth);
  }
  inTurn(
    device,
    [...moves.keys()],
    'moveOnSpares',
    ({ doneCount, refusals }) =>
      done(undefined, { movedCount: doneCount, refusals, scatteredRunCount: scatteredRuns(device).length }),
    (mainUnit, answer) => device.byHand.moveOnSpares(mainUnit, moves.get(mainUnit)!, answer),
  );
}

export interface ConsolidateCall {
  readonly limit: number;
  /** Of the main device: where units that did not move are. */
  readonly exceptSectors?: readonly number[] | undefined;
}

export interface ConsolidationReport {
  readonly movedCount: number;
  readonly refusals: readonly HandRefusal[];
  /** Runs of neighbours that do not lie in one piece, those without room for them included. */
  readonly scatteredRunCount: number;
}

/** Neighbours that all live on spares, and not all side by side in their order. */
function scatteredRuns({ context }: RemappedDevice): number[][] {
  const { table } = context;
  const runs: number[][] = [];
  for (const mainUnit of unitsOnSpares(table)) {
    const last = runs.at(-1);
    if (last?.at(-1) === mainUnit - 1) last.push(mainUnit);
    else runs.push([mainUnit]);
  }
  const isScattered = (run: readonly number[]): boolean =>
    run.some((mainUnit, nth) => table.find(mainUnit) !== table.find(run[0]!) + nth);
  return runs.filter(isScattered);
}

/** In their order on the main device. */
function unitsOnSpares(table: RemappedDevice['context']['table']): Float64Array {
  const units: number[] = [];
  for (let spareUnit = 0; spareUnit < table.spareUnitCapacity; spareUnit += 1) {
    if (table.state(spareUnit) !== DescriptorState.mapped) continue;
    const mainUnit = table.mainUnit(spareUnit);
    if (table.find(mainUnit) === spareUnit) units.push(mainUnit);
  }
  return Float64Array.from(units).sort();
}

function takeRun(
  allocator: SpareAllocator,
  length: number,
  ranges: readonly { readonly firstUnit: number; readonly unitCount: number }[],
): number {
  for (const { firstUnit, unitCount } of ranges) {
    const start = allocator.firstFreeRun(length, firstUnit, unitCount);
    if (start === -1) continue;
    allocator.takeRange(start, length);
    return start;
  }
  return -1;
}
