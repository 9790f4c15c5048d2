import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { type Effect, MAIN } from './effect.js';
import { type Salvage, salvageBlocks } from './salvage.js';
import { exampleContext } from './testing/example-context.js';
import { runProcedure } from './testing/run-procedure.js';

const UNIT_OFFSET = 5 * 16384;
const BUFFER_OFFSET = 8192;

interface Outcome {
  readonly salvage: Salvage;
  readonly reads: readonly { firstBlock: number; blockCount: number }[];
  /** What is in the buffer, by block: the block's number where it was read, else 0xff. */
  readonly buffer: readonly number[];
}

/** Salvages from a unit of 32 blocks of which block n fails with `errnoOf(n, nth time)`. */
function salvageUnit(wantedMask: number, errnoOf: (block: number, attempt: number) => number): Outcome {
  const context = exampleContext({ unitBytes: 16384 });
  context.memory.fill(0xff);
  const attempts = new Map<string, number>();
  const { value, effects } = runProcedure(
    salvageBlocks(context, MAIN, UNIT_OFFSET, wantedMask, BUFFER_OFFSET),
    (effect) => (effect.kind === 'read' ? readInto(context.memory, effect, attempts, errnoOf) : 0),
  );
  const reads = effects.flatMap((effect) => (effect.kind === 'read' ? [blocksRead(effect)] : []));
  const buffer = Array.from({ length: 32 }, (_, block) => context.memory[BUFFER_OFFSET + block * 512]!);
  return { salvage: value, reads, buffer };
}

function readInto(
  memory: Uint8Array,
  effect: Extract<Effect, { kind: 'read' | 'write' }>,
  attempts: Map<string, number>,
  errnoOf: (block: number, attempt: number) => number,
): number {
  const { firstBlock, blockCount } = blocksRead(effect);
  expect(effect.memoryOffset).toBe(BUFFER_OFFSET + firstBlock * 512);
  const key = `${firstBlock}+${blockCount}`;
  const attempt = (attempts.get(key) ?? 0) + 1;
  attempts.set(key, attempt);
  for (let block = firstBlock; block < firstBlock + blockCount; block += 1) {
    const errno = errnoOf(block, attempt);
    if (errno !== 0) return -errno;
  }
  for (let block = firstBlock; block < firstBlock + blockCount; block += 1) {
    memory.fill(block, BUFFER_OFFSET + block * 512, BUFFER_OFFSET + (block + 1) * 512);
  }
  return effect.lengthBytes;
}

function blocksRead(effect: { offsetBytes: number; lengthBytes: number }): {
  firstBlock: number;
  blockCount: number;
} {
  return { firstBlock: (effect.offsetBytes - UNIT_OFFSET) / 512, blockCount: effect.lengthBytes / 512 };
}

const masks = fc.integer({ min: 0, max: 0xffff_ffff });
const has = (mask: number, block: number): boolean => ((mask >>> block) & 1) === 1;

describe('salvage of a unit', () => {
  it('reads every wanted block that can be read, names those that cannot, and touches no others', () => {
    fc.assert(
      fc.property(masks, masks, (wanted, bad) => {
        const { salvage, buffer } = salvageUnit(wanted, (block) => (has(bad, block) ? ERRNO.ENODATA : 0));
        expect(salvage.lostMask).toBe((wanted & bad) >>> 0);
        expect(salvage.mediumIsBad).toBe((wanted & bad) !== 0);
        expect(salvage.abandoned).toBe(false);
        for (let block = 0; block < 32; block += 1) {
          const wasRead = has(wanted, block) && !has(bad, block);
          expect(buffer[block]).toBe(wasRead ? block : 0xff);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('reads neighbours as one where all is well', () => {
    const { reads } = salvageUnit(0b1110_0111_0000_0001, () => 0);
    expect(reads).toEqual([
      { firstBlock: 0, blockCount: 1 },
      { firstBlock: 8, blockCount: 3 },
      { firstBlock: 13, blockCount: 3 },
    ]);
  });

  it('asks for nothing where nothing is wanted', () => {
    expect(salvageUnit(0, () => ERRNO.EIO).reads).toEqual([]);
  });

  it('gets a block that comes back at a later try, and says that the medium is bad', () => {
    const { salvage, buffer } = salvageUnit(1 << 31, (_, attempt) => (attempt < 3 ? ERRNO.ENODATA : 0));
    expect(salvage).toMatchObject({ lostMask: 0, mediumIsBad: true, abandoned: false });
    expect(buffer[31]).toBe(31);
  });

  it('leaves it open whether sectors are to blame for an ambiguous error', () => {
    const { salvage } = salvageUnit(0b111, (block) => (block === 1 ? ERRNO.EIO : 0));
    expect(salvage).toMatchObject({ lostMask: 0b010, mediumIsBad: false });
    expect(salvage.failure).toEqual({ errno: ERRNO.EIO, errorClass: 'mediaOrDevice' });
  });

  it('gives up at an error that is not a matter of sectors', () => {
    const { salvage, reads } = salvageUnit(0xff, () => ERRNO.ENODEV);
    expect(salvage).toMatchObject({
      abandoned: true,
      failure: { errno: ERRNO.ENODEV, errorClass: 'device' },
    });
    expect(reads).toHaveLength(1);
  });
});
