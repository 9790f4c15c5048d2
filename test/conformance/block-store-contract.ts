import fc from 'fast-check';
import { expect, it } from 'vitest';
import { InvariantError } from '../../src/base/assert.js';
import { ERRNO } from '../../src/base/errno.js';
import { expectBytes, noise, type StoreBench } from './store-bench.js';

export function contractTests(bench: StoreBench): void {
  it('never completes inside the call', async () => {
    const { store } = bench;
    const block = bench.blockBytes;
    // `run` checks it for each of them.
    await bench.run((ticket) => store.write(ticket, 0, block, 0, false));
    await bench.run((ticket) => store.write(ticket, 0, block, 0, true));
    await bench.run((ticket) => store.read(ticket, 0, block, 0));
    await bench.run((ticket) => store.flush(ticket));
    await bench.run((ticket) => store.writeZeroes(ticket, 0, block, true));
    await bench.run((ticket) => store.writeZeroes(ticket, 0, block, false));
    await bench.run((ticket) => store.discard(ticket, 0, block));
    expect(bench.recorder.completionCount).toBe(7);
  });

  it('asserts ranges outside the device and misaligned ones', () => {
    const { store } = bench;
    const { sizeBytes } = store.geometry;
    const block = bench.blockBytes;
    const calls: (() => void)[] = [
      () => store.read(0, sizeBytes, block, 0),
      () => store.read(0, sizeBytes - block, block * 2, 0),
      () => store.read(0, block / 2, block, 0),
      () => store.read(0, 0, block / 2, 0),
      () => store.read(0, -block, block, 0),
      () => store.write(0, sizeBytes, block, 0, false),
      () => store.write(0, block / 2, block, 0, true),
      () => store.discard(0, sizeBytes - block, block * 2),
      () => store.writeZeroes(0, sizeBytes, block, true),
    ];
    for (const call of calls) expect(call).toThrow(InvariantError);
    expect(bench.recorder.completionCount).toBe(0);
  });

  it('asserts memory outside its own and misaligned memory', () => {
    const { store, memory } = bench;
    const block = bench.blockBytes;
    const memoryBytes = memory.bytes.byteLength;
    expect(() => store.read(0, 0, block, memoryBytes)).toThrow(InvariantError);
    expect(() => store.write(0, 0, block * 2, memoryBytes - block, false)).toThrow(InvariantError);
    const { memoryAlignmentBytes } = store.geometry;
    if (memoryAlignmentBytes === 1) return;
    expect(() => store.read(0, 0, block, memoryAlignmentBytes / 2)).toThrow(InvariantError);
  });
}

export function lossTests(bench: StoreBench): void {
  it('reports reading behind the end of a shrunken file as a vanished device', async ({ skip }) => {
    if (bench.truncate === undefined) return skip('nothing under this store can shrink');
    const block = Math.max(bench.blockBytes, 4096);
    const { sizeBytes } = bench.store.geometry;
    bench.truncate(sizeBytes - block * 4);
    const at = (offset: number, length: number) =>
      bench.run((ticket) => bench.store.read(ticket, offset, length, 0));
    expect(await at(sizeBytes - block, block)).toBe(-ERRNO.ENODEV);
    expect(await at(sizeBytes - block * 6, block * 6)).toBe(-ERRNO.ENODEV);
    expect(await at(sizeBytes - block * 6, block * 2)).toBe(block * 2);
    bench.truncate(sizeBytes - block * 4 - 100);
    expect(await at(sizeBytes - block * 6, block * 2)).toBe(-ERRNO.ENODEV);
  });
}

export function modelTests(bench: StoreBench): void {
  const step = fc.record({
    kind: fc.constantFrom('read', 'write', 'durableWrite', 'zero', 'unmap', 'flush'),
    block: fc.integer({ min: 0, max: 47 }),
    count: fc.integer({ min: 1, max: 16 }),
    fill: fc.integer({ min: 1, max: 255 }),
  });

  it('behaves as an array of blocks under any sequence of operations', async () => {
    const block = bench.blockBytes;
    const model = Buffer.alloc(64 * block);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        for (const { kind, block: first, count, fill: value } of steps) {
          const offset = first * block;
          const end = offset + count * block;
          const lengthBytes = end - offset;
          if (kind === 'flush') {
            expect(await bench.run((ticket) => bench.store.flush(ticket))).toBe(0);
          } else if (kind === 'write' || kind === 'durableWrite') {
            const data = noise(lengthBytes, value);
            expect(await bench.write(offset, data, kind === 'durableWrite')).toBe(lengthBytes);
            data.copy(model, offset);
          } else if (kind === 'zero' || kind === 'unmap') {
            const result = await bench.run((ticket) =>
              bench.store.writeZeroes(ticket, offset, lengthBytes, kind === 'unmap'),
            );
            if (result === 0) model.fill(0, offset, end);
          }
          expectBytes(await bench.read(offset, lengthBytes), model.subarray(offset, end));
        }
        expectBytes(await bench.read(0, model.length), model);
      }),
      { numRuns: 20 },
    );
  });
}
