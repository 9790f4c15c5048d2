import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERRNO } from '../../src/base/errno.js';
import { contractTests, lossTests, modelTests } from './block-store-contract.js';
import { expectBytes, fill, noise, StoreBench } from './store-bench.js';
import { STORE_BYTES_MIN, type StoreUnderTest, TICKET_COUNT_MIN } from './store-under-test.js';

/** Holds any `BlockStore` to the contract in `src/ports/block-store.ts`. */
export function blockStoreConformance(
  name: string,
  makeStore: () => StoreUnderTest | Promise<StoreUnderTest>,
): void {
  describe(`${name} as a block store`, () => {
    const bench = new StoreBench();
    beforeEach(async () => bench.open(await makeStore()));
    afterEach(() => bench.dispose());

    geometryTests(bench);
    transferTests(bench);
    durabilityTests(bench);
    zeroTests(bench);
    allocationTests(bench);
    contractTests(bench);
    lossTests(bench);
    modelTests(bench);
  });
}

function geometryTests(bench: StoreBench): void {
  it('has a geometry that adds up', () => {
    const geometry = bench.store.geometry;
    expect([512, 1024, 2048, 4096]).toContain(geometry.logicalBlockBytes);
    expect(geometry.sizeBytes).toBeGreaterThanOrEqual(STORE_BYTES_MIN);
    expect(geometry.sizeBytes % geometry.logicalBlockBytes).toBe(0);
    expect(geometry.physicalBlockBytes).toBeGreaterThanOrEqual(geometry.logicalBlockBytes);
    expect(Number.isInteger(Math.log2(geometry.memoryAlignmentBytes))).toBe(true);
    expect(bench.store.description).not.toBe('');
  });
}

function transferTests(bench: StoreBench): void {
  it('reads back what was written and leaves the neighbours alone', async () => {
    const block = bench.blockBytes;
    await bench.write(0, fill(block * 3, 1));
    expect(await bench.write(block, fill(block, 2))).toBe(block);
    expectBytes(
      await bench.read(0, block * 3),
      Buffer.concat([fill(block, 1), fill(block, 2), fill(block, 1)]),
    );
  });

  it('reaches the last block', async () => {
    const block = bench.blockBytes;
    const last = bench.store.geometry.sizeBytes - block;
    expect(await bench.write(last, fill(block, 9))).toBe(block);
    expectBytes(await bench.read(last, block), fill(block, 9));
  });

  it('transfers a megabyte in one call', async () => {
    const data = noise(1 << 20, 5);
    expect(await bench.write(bench.blockBytes * 3, data)).toBe(1 << 20);
    expectBytes(await bench.read(bench.blockBytes * 3, 1 << 20), data);
  });

  it('touches no memory beside the buffer of a read', async () => {
    const block = bench.blockBytes;
    const step = Math.max(block, bench.store.geometry.memoryAlignmentBytes);
    await bench.write(0, fill(block, 3));
    bench.memory.bytes.fill(0xaa, 0, step * 3);
    expect(await bench.run((ticket) => bench.store.read(ticket, 0, block, step))).toBe(block);
    const after = Buffer.from(bench.memory.bytes.subarray(0, step * 3));
    expectBytes(after.subarray(0, step), fill(step, 0xaa));
    expectBytes(after.subarray(step, step + block), fill(block, 3));
    expectBytes(after.subarray(step + block), fill(2 * step - block, 0xaa));
  });

  it('keeps many transfers in flight apart', async () => {
    const block = Math.max(bench.blockBytes, bench.store.geometry.memoryAlignmentBytes);
    const place = (ticket: number): number => ((ticket * 29) % TICKET_COUNT_MIN) * block * 2;
    for (let ticket = 0; ticket < TICKET_COUNT_MIN; ticket++) {
      bench.memory.bytes.fill(ticket + 1, ticket * block, (ticket + 1) * block);
      bench.recorder.start(ticket, () =>
        bench.store.write(ticket, place(ticket), block, ticket * block, false),
      );
    }
    await bench.idle();
    bench.memory.bytes.fill(0);
    for (let ticket = TICKET_COUNT_MIN - 1; ticket >= 0; ticket--) {
      bench.recorder.start(ticket, () => bench.store.read(ticket, place(ticket), block, ticket * block));
    }
    await bench.idle();
    for (let ticket = 0; ticket < TICKET_COUNT_MIN; ticket++) {
      expect(bench.recorder.resultOf(ticket)).toBe(block);
      const got = Buffer.from(bench.memory.bytes.subarray(ticket * block, (ticket + 1) * block));
      expectBytes(got, fill(block, ticket + 1));
    }
  });

  it('takes further I/O on the same tickets from inside completions', async () => {
    const block = Math.max(bench.blockBytes, bench.store.geometry.memoryAlignmentBytes);
    let left = 500;
    bench.recorder.onComplete = (ticket) => {
      if (left === 0) return;
      left -= 1;
      bench.recorder.start(ticket, () => bench.store.read(ticket, ticket * block, block, ticket * block));
    };
    for (let ticket = 0; ticket < TICKET_COUNT_MIN; ticket++) {
      bench.recorder.start(ticket, () => bench.store.read(ticket, ticket * block, block, ticket * block));
    }
    await bench.idle();
    expect(left).toBe(0);
    expect(bench.recorder.completionCount).toBe(500 + TICKET_COUNT_MIN);
  });
}

function durabilityTests(bench: StoreBench): void {
  it('completes a flush with 0', async () => {
    await bench.write(0, fill(bench.blockBytes, 1));
    expect(await bench.run((ticket) => bench.store.flush(ticket))).toBe(0);
  });

  it('writes durably', async () => {
    const block = bench.blockBytes;
    expect(await bench.write(block, fill(block * 2, 7), true)).toBe(block * 2);
    expectBytes(await bench.read(block, block * 2), fill(block * 2, 7));
  });
}

function zeroTests(bench: StoreBench): void {
  for (const mayUnmap of [false, true]) {
    it(`writes zeroes ${mayUnmap ? 'that may unmap' : 'that keep the space'}, or says that it can't`, async () => {
      const block = bench.blockBytes;
      await bench.write(0, fill(block * 32, 1));
      const result = await bench.run((ticket) =>
        bench.store.writeZeroes(ticket, block, block * 20, mayUnmap),
      );
      expect([0, -ERRNO.EOPNOTSUPP]).toContain(result);
      const middle = fill(block * 20, result === 0 ? 0 : 1);
      expectBytes(
        await bench.read(0, block * 32),
        Buffer.concat([fill(block, 1), middle, fill(block * 11, 1)]),
      );
      expect(await bench.write(block * 2, fill(block, 6))).toBe(block);
      expectBytes(await bench.read(block * 2, block), fill(block, 6));
    });
  }

  it("discards, or says that it can't, and never touches the neighbours", async () => {
    const block = bench.blockBytes;
    await bench.write(0, fill(block * 32, 1));
    const result = await bench.run((ticket) => bench.store.discard(ticket, block, block * 20));
    expect([0, -ERRNO.EOPNOTSUPP]).toContain(result);
    expectBytes(await bench.read(0, block), fill(block, 1));
    expectBytes(await bench.read(block * 21, block * 11), fill(block * 11, 1));
  });
}

function allocationTests(bench: StoreBench): void {
  it('divides the device into runs that cover it exactly and calls nothing a hole that has data', async () => {
    const block = bench.blockBytes;
    const { sizeBytes } = bench.store.geometry;
    const dataAt = 1 << 20;
    await bench.write(dataAt, fill(block, 1));
    let offset = 0;
    while (offset < sizeBytes) {
      const run = bench.store.allocatedRun(offset, sizeBytes - offset);
      const lengthBytes = Math.abs(run);
      expect(lengthBytes).toBeGreaterThan(0);
      expect(lengthBytes % block).toBe(0);
      if (run < 0) expect(dataAt >= offset && dataAt < offset + lengthBytes).toBe(false);
      offset += lengthBytes;
    }
    expect(offset).toBe(sizeBytes);
  });

  it('answers for no more than it was asked', async () => {
    const block = bench.blockBytes;
    await bench.write(block * 8, fill(block * 8, 1));
    for (const offset of [0, block * 7, block * 8, block * 12]) {
      const run = Math.abs(bench.store.allocatedRun(offset, block * 2));
      expect(run).toBeGreaterThan(0);
      expect(run).toBeLessThanOrEqual(block * 2);
    }
  });
}
