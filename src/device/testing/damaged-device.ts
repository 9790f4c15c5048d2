import { xorshift } from '../../../test/support/xorshift.js';
import { BlockModel } from './block-model.js';
import { DeviceOnMemory, type DeviceOnMemoryOptions } from './device-on-memory.js';
import { BLOCK_BYTES, fillBlock } from './workload.js';

/** A main disk of known contents with bad sectors of every kind, all over it. */
export function damagedDevice(
  seed: number,
  spareBytes: readonly number[],
  options: Partial<DeviceOnMemoryOptions> = {},
): { rig: DeviceOnMemory; model: BlockModel } {
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
  const rig = new DeviceOnMemory({ mainBytes: MAIN_BYTES, spareBytes, faults, ...options });
  const media = rig.disks[0]!.contents;
  const view = new DataView(media.buffer, media.byteOffset, media.byteLength);
  for (let block = 0; block < BLOCK_COUNT; block += 1) fillBlock(media, view, block * BLOCK_BYTES, block + 1);
  rig.format(options.unitBytes === 1024 ? 2 : 5);
  return { rig, model: new BlockModel(BLOCK_COUNT, unreadable, (block) => block + 1) };
}

const MAIN_BYTES = 1 << 20;
const BLOCK_COUNT = MAIN_BYTES / BLOCK_BYTES;
