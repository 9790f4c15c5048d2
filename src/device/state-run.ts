import type { ColdContext } from '../engine/cold-context.js';
import { REGION_BYTES } from '../engine/limits.js';
import { RegionFlag } from '../engine/region-filter.js';
import type { BlockStore } from '../ports/block-store.js';
import type { StateRun } from '../ports/served-device.js';
import { RunState } from '../ports/served-device.js';

/** What the blocks from `offsetBytes` are, and how far that goes: remapped, lost, a hole in the main file, or plain. */
export function describeRun(
  context: RunContext,
  main: BlockStore,
  offsetBytes: number,
  lengthBytes: number,
  run: StateRun,
): void {
  const endBytes = offsetBytes + lengthBytes;
  const state = stateAt(context, offsetBytes);
  let at = stepEnd(context, offsetBytes, endBytes);
  while (at < endBytes && stateAt(context, at) === state) at = stepEnd(context, at, endBytes);
  run.state = state;
  run.lengthBytes = at - offsetBytes;
  if (state === 0) narrowToAllocation(main, offsetBytes, run);
}

type RunContext = Pick<ColdContext, 'shape' | 'filter' | 'table'>;

/** Nothing in between changes state: the end of the region if it is plain, else of the logical block or unit. */
function stepEnd(context: RunContext, at: number, endBytes: number): number {
  const { shape, filter, table } = context;
  if (!filter.hasAny(at, 1, RegionFlag.remapped))
    return Math.min(endBytes, at - (at % REGION_BYTES) + REGION_BYTES);
  const spareUnit = table.find(Math.floor(at / shape.unitBytes));
  const mixed = spareUnit !== -1 && table.lostMask(spareUnit) !== 0;
  const step = mixed ? shape.logicalBlockBytes : shape.unitBytes;
  return Math.min(endBytes, at - (at % step) + step);
}

function stateAt(context: RunContext, at: number): number {
  const { shape, filter, table } = context;
  if (!filter.hasAny(at, 1, RegionFlag.remapped)) return 0;
  const unit = Math.floor(at / shape.unitBytes);
  const spareUnit = table.find(unit);
  if (spareUnit === -1) return 0;
  const block = Math.floor((at - unit * shape.unitBytes) / shape.logicalBlockBytes);
  const lost = ((table.lostMask(spareUnit) >>> block) & 1) === 1;
  return lost ? RunState.remapped | RunState.lost : RunState.remapped;
}

function narrowToAllocation(main: BlockStore, offsetBytes: number, run: StateRun): void {
  const alike = main.allocatedRun(offsetBytes, run.lengthBytes);
  run.lengthBytes = Math.min(run.lengthBytes, Math.abs(alike));
  if (alike < 0) run.state = RunState.hole;
}
