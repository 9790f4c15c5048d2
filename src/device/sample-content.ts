import { crc32 } from '../base/crc32.js';
import type { Procedure } from '../engine/effect.js';
import { MAIN, perform } from '../engine/effect.js';
import { SAMPLE_BYTES, samplePositions } from '../format/fingerprint.js';
import type { ContentSample } from '../format/superblock.js';
import type { IoMemory } from '../ports/io-memory.js';

/** Reads the sampled blocks of the main device, except those `skip` says are not worth reading (on a spare by now). */
export function* sampleContent(
  mainSizeBytes: number,
  memory: IoMemory,
  bufferOffset: number,
  skip: (index: number, offsetBytes: number) => boolean,
): Procedure<ContentSample> {
  const positions = samplePositions(mainSizeBytes);
  const crcs = new Array<number>(positions.length).fill(0);
  let validMask = 0;
  for (const [index, offsetBytes] of positions.entries()) {
    if (offsetBytes === -1 || skip(index, offsetBytes)) continue;
    const effect = {
      kind: 'read',
      target: MAIN,
      offsetBytes,
      lengthBytes: SAMPLE_BYTES,
      memoryOffset: bufferOffset,
    } as const;
    if ((yield* perform(effect)) < 0) continue;
    crcs[index] = crc32(memory.bytes.subarray(bufferOffset, bufferOffset + SAMPLE_BYTES));
    validMask = (validMask | (1 << index)) >>> 0;
  }
  return { validMask, crcs };
}
