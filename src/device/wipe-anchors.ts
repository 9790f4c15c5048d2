import type { Procedure } from '../engine/effect.js';
import { performAll, spareTarget } from '../engine/effect.js';
import { METADATA_PAGE_BYTES } from '../format/layout.js';
import { sameUuid } from '../format/set-id.js';
import type { IoMemory } from '../ports/io-memory.js';
import { scanDevice } from './find-superblock.js';
import { flushSpares } from './flush-spares.js';

/** Every place of the spares where a superblock could be found, and what lies there. */
export function* scanAnchors(input: Omit<WipeInput, 'writeOffset'>): Procedure<readonly Anchor[]> {
  const { superblock, memory, readOffset: bufferOffset } = input;
  const anchors: Anchor[] = [];
  for (const [spareIndex, { sizeBytes }] of superblock.spares.entries()) {
    const device = { target: spareTarget(spareIndex), sizeBytes };
    const { candidates } = yield* scanDevice({ devices: [], memory, bufferOffset }, device);
    for (const { offsetBytes, found } of candidates) {
      const { setId, sequence, generation } = found.ok ? found.value.superblock : NOTHING;
      anchors.push({ spareIndex, offsetBytes, setId, sequence, generation });
    }
  }
  return anchors;
}

/**
 * Zeroes them, those with the newest superblock of any set last and only if all others are zero. So a wipe that is cut
 * off never leaves an older superblock as the newest: that one may know fewer pages of the map, and would start with
 * units where they no longer are. True if all are zero now, for good.
 */
export function* wipeAnchors(
  input: Omit<WipeInput, 'readOffset'>,
  anchors: readonly Anchor[],
): Procedure<boolean> {
  const newest = anchors.filter((anchor) => isNewestOfItsSet(anchor, anchors));
  const others = anchors.filter((anchor) => !newest.includes(anchor));
  if (!(yield* zeroDurably(input, others))) return false;
  return newest.length === 0 || (yield* zeroDurably(input, newest));
}

export interface WipeInput {
  readonly superblock: { readonly spares: readonly { readonly sizeBytes: number }[] };
  readonly memory: IoMemory;
  /** Room for one page per anchor (16). */
  readonly readOffset: number;
  /** Room for a page. */
  readonly writeOffset: number;
}

export interface Anchor {
  readonly spareIndex: number;
  readonly offsetBytes: number;
  /** Of the superblock that lies there; undefined, and -1: none that counts. */
  readonly setId: Uint8Array | undefined;
  readonly sequence: number;
  readonly generation: number;
}

const NOTHING = { setId: undefined, sequence: -1, generation: -1 };

function isNewestOfItsSet({ setId, sequence }: Anchor, anchors: readonly Anchor[]): boolean {
  if (setId === undefined) return false;
  return anchors.every(
    (other) => other.setId === undefined || !sameUuid(other.setId, setId) || other.sequence <= sequence,
  );
}

function* zeroDurably(input: Omit<WipeInput, 'readOffset'>, anchors: readonly Anchor[]): Procedure<boolean> {
  const { superblock, memory, writeOffset: memoryOffset } = input;
  const lengthBytes = METADATA_PAGE_BYTES;
  memory.bytes.fill(0, memoryOffset, memoryOffset + lengthBytes);
  const results = yield* performAll(
    anchors.map(({ spareIndex, offsetBytes }) => {
      const target = spareTarget(spareIndex);
      return { kind: 'write', target, offsetBytes, lengthBytes, memoryOffset };
    }),
  );
  const flushed = yield* flushSpares(superblock.spares.keys());
  return results.every((result) => result >= 0) && flushed.size === superblock.spares.length;
}
