import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { BlockModel } from './testing/block-model.js';
import { DeviceOnMemory } from './testing/device-on-memory.js';
import { BLOCK_BYTES, fillBlock, Workload } from './testing/workload.js';

const MAIN_BYTES = 1 << 20;
const BLOCK_COUNT = MAIN_BYTES / BLOCK_BYTES;

/** A main disk of known contents with bad sectors of every kind, all over it. */
function damagedDevice(seed: number, spareBytes: readonly number[], unitBytes = 4096): { rig: DeviceOnMemory; model: BlockModel } {
  const random = xorshift(seed);
  const lines: string[] = [];
  const unreadable = new Set<number>();
  for (let count = 0; count < 60; count += 1) {
    const first = random() % BLOCK_COUNT;
    const last = Math.min(BLOCK_COUNT - 1, first + (random() % 4));
    const kind = random() % 5;
    const where = `sectors: "${first}-${last}"`;
    if (kind === 0) lines.push(`{ ${where}, on: [read, write, writeZeroes], error: ENODATA }`);
    if (kind === 1) lines.push(`{ ${where}, on: [read], error: ENODATA, healsOnWrite: true }`);
    if (kind === 2) lines.push(`{ ${where}, on: [read], error: EIO, times: ${1 + (random() % 3)} }`);
    if (kind === 3) lines.push(`{ ${where}, on: [read, write, writeZeroes], error: EIO }`);
    if (kind === 4) lines.push(`{ ${where}, on: [read, write], delayMs: 30 }`);
    if (kind !== 2 && kind !== 4) for (let block = first; block <= last; block += 1) unreadable.add(block);
  }
  const spareFaults = '{ sectors: "1120-1130,1200", on: [write], error: EIO }';
  const faults = `main:\n${lines.map((line) => `  - ${line}\n`).join('')}spare:\n  - ${spareFaults}\n`;
  const rig = new DeviceOnMemory({ mainBytes: MAIN_BYTES, spareBytes, unitBytes, faults });
  const media = rig.disks[0]!.contents;
  const view = new DataView(media.buffer, media.byteOffset, media.byteLength);
  for (let block = 0; block < BLOCK_COUNT; block += 1) fillBlock(media, view, block * BLOCK_BYTES, block + 1);
  rig.format(unitBytes === 1024 ? 2 : 5);
  return { rig, model: new BlockModel(BLOCK_COUNT, unreadable, (block) => block + 1) };
}

describe('a protected device', () => {
  for (const unitBytes of [1024, 4096, 16384]) {
    it(`hides write errors and never returns a wrong byte, with units of ${unitBytes} bytes, through kills and clean stops`, () => {
      for (let seed = 1; seed <= 12; seed += 1) {
        const { rig, model } = damagedDevice(seed * 7919, [8 << 20], unitBytes);
        const workload = new Workload(rig, model, seed);
        const random = xorshift(seed * 31);
        rig.open();
        for (let round = 0; round < 6; round += 1) {
          for (let steps = random() % 60; steps >= 0; steps -= 1) workload.step();
          if (random() % 2 === 0) {
            rig.kill();
            workload.forget();
          } else {
            workload.drain();
            rig.close();
          }
          rig.open();
        }
        workload.drain();
        workload.verifyAll();
        expect(workload.writeErrors, `write errors with seed ${seed}`).toBe(0);
        expect(rig.device!.context.table.mappedCount).toBeGreaterThan(0);
      }
    });
  }

  it('spreads over several spares and survives kills', () => {
    const { rig, model } = damagedDevice(4711, [4 << 20, 2 << 20, 3 << 20], 4096);
    const workload = new Workload(rig, model, 99);
    rig.open();
    for (let round = 0; round < 8; round += 1) {
      for (let steps = 0; steps < 40; steps += 1) workload.step();
      rig.kill();
      workload.forget();
      rig.open();
    }
    workload.verifyAll();
    expect(workload.writeErrors).toBe(0);
  });
});
