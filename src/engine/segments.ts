import type { ColdContext } from './cold-context.js';
import { MAIN, type Target } from './effect.js';

/** A stretch of a request that is handled as a whole: healthy units of the main device, or one unit on a spare. */
export interface Segment {
  /** -1 for the main device. */
  readonly spareUnit: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Where the request's memory for this stretch starts. */
  readonly memoryOffset: number;
}

export interface ByteRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly memoryOffset: number;
}

/** Cuts a range at every unit that is on a spare or doubtful; what lies between stays in one piece. */
export function segmentsOf(context: ColdContext, range: ByteRange): Segment[] {
  const segments: Segment[] = [];
  const { unitBytes } = context.shape;
  const endBytes = range.offsetBytes + range.lengthBytes;
  let openFrom = -1;
  const close = (at: number): void => {
    if (openFrom !== -1) segments.push(segmentAt(range, -1, openFrom, at));
    openFrom = -1;
  };
  for (let at = range.offsetBytes; at < endBytes; ) {
    const unit = Math.floor(at / unitBytes);
    const next = Math.min(endBytes, (unit + 1) * unitBytes);
    const spareUnit = context.table.find(unit);
    if (spareUnit !== -1 || context.doubtfulUnits.has(unit)) {
      close(at);
      segments.push(segmentAt(range, spareUnit, at, next));
    } else if (openFrom === -1) {
      openFrom = at;
    }
    at = next;
  }
  close(endBytes);
  return segments;
}

/** The disks that these segments are on, each once. */
export function targetsOf({ shape }: ColdContext, segments: readonly Segment[]): Set<Target> {
  return new Set(segments.map(({ spareUnit }) => (spareUnit === -1 ? MAIN : shape.targetOf(spareUnit))));
}

/** Halves a segment at a unit boundary; undefined if it lies in one unit. */
export function halve(context: ColdContext, segment: Segment): readonly [Segment, Segment] | undefined {
  const { unitBytes } = context.shape;
  const firstUnit = Math.floor(segment.offsetBytes / unitBytes);
  const endBytes = segment.offsetBytes + segment.lengthBytes;
  const unitCount = Math.ceil(endBytes / unitBytes) - firstUnit;
  if (unitCount === 1) return undefined;
  const middle = (firstUnit + Math.floor(unitCount / 2)) * unitBytes;
  return [
    { ...segment, lengthBytes: middle - segment.offsetBytes },
    {
      spareUnit: segment.spareUnit,
      offsetBytes: middle,
      lengthBytes: endBytes - middle,
      memoryOffset: segment.memoryOffset + middle - segment.offsetBytes,
    },
  ];
}

/** The logical blocks of its unit that a segment within one unit covers. */
export function coveredMask(context: ColdContext, segment: Segment): number {
  const within = segment.offsetBytes % context.shape.unitBytes;
  return context.shape.blockMask(within, within + segment.lengthBytes);
}

/** All logical blocks that a unit has; the last unit of the device may have fewer. */
export function existingMask(context: ColdContext, mainUnit: number): number {
  return context.shape.blockMask(0, context.shape.unitLengthBytes(mainUnit));
}

function segmentAt(range: ByteRange, spareUnit: number, fromBytes: number, toBytes: number): Segment {
  return {
    spareUnit,
    offsetBytes: fromBytes,
    lengthBytes: toBytes - fromBytes,
    memoryOffset: range.memoryOffset + fromBytes - range.offsetBytes,
  };
}
