import { xorshift } from '../../../test/support/xorshift.js';
import { BlockModel } from './block-model.js';
import { DeviceOnMemory, type DeviceOnMemoryOptions } from './device-on-memory.js';
import { BLOCK_BYTES, fillBlock } from './workload.js';

/** A main disk of known contents with bad sectors of every kind, all over it; 60 places unless told. */
export function damagedDevice(
  seed: number,
  spareBytes: readonly number[],
  options: Partial<DeviceOnMemoryOptions> & { readonly badPlaces?: number } = {},
): { rig: DeviceOnMemory; model: BlockModel } {
  const { mainBytes = 1 << 20, badPlaces = 60 } = options;
  const blockCount = mainBytes / BLOCK_BYTES;
  const random = xorshift(seed);
  const lines: string[] = [];
  const unreadable = new Set<number>();
  for (let count = 0; count < badPlaces; count += 1) {
    const first = random() % blockCount;
    const last = Math.min(blockCount - 1, first + (random() % 4));
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
  const rig = new DeviceOnMemory({ ...options, mainBytes, spareBytes, faults });
  const media = rig.disks[0]!.contents;
  const view = new DataView(media.buffer, media.byteOffset, media.byteLength);
  for (let block = 0; block < blockCount; block += 1) fillBlock(media, view, block * BLOCK_BYTES, block + 1);
  rig.format(options.unitBytes === 1024 ? 2 : 5);
  return { rig, model: new BlockModel(blockCount, unreadable, (block) => block + 1) };
}
