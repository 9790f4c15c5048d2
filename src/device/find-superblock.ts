import { failed, ok, type Result } from '../base/result.js';
import type { Procedure, Target, TransferEffect } from '../engine/effect.js';
import { performAll } from '../engine/effect.js';
import { METADATA_PAGE_BYTES, superblockAnchors } from '../format/layout.js';
import type { SuperblockChoice, SuperblockChoiceFailure } from '../format/superblock-choice.js';
import { chooseSuperblock } from '../format/superblock-choice.js';
import { decodeSuperblock } from '../format/superblock-codec.js';
import type { ScannedDevice, SuperblockCandidate } from '../format/superblock-evidence.js';
import type { IoMemory } from '../ports/io-memory.js';

/** Reads every place where a superblock may be on the devices named as spares, and decides which one is valid. */
export function* findSuperblock(
  input: FindInput,
): Procedure<Result<SuperblockChoice, SuperblockChoiceFailure>> {
  const devices: ScannedDevice[] = [];
  for (const device of input.devices) devices.push(yield* scanDevice(input, device));
  return chooseSuperblock(devices);
}

export interface FindInput {
  readonly devices: readonly { readonly target: Target; readonly sizeBytes: number }[];
  readonly memory: IoMemory;
  /** Room for one page per anchor (16). */
  readonly bufferOffset: number;
}

/** Reads every place of one device where a superblock may be. */
export function* scanDevice(
  input: FindInput,
  device: FindInput['devices'][number],
): Procedure<ScannedDevice> {
  const anchors = superblockAnchors(device.sizeBytes);
  const effects = anchors.map((offsetBytes, index): TransferEffect => {
    const memoryOffset = input.bufferOffset + index * METADATA_PAGE_BYTES;
    return {
      kind: 'read',
      target: device.target,
      offsetBytes,
      lengthBytes: METADATA_PAGE_BYTES,
      memoryOffset,
    };
  });
  const results = yield* performAll(effects);
  const candidates = effects.map((effect, index): SuperblockCandidate => {
    const { offsetBytes, memoryOffset } = effect;
    if (results[index]! < 0) return { offsetBytes, found: failed('unreadable') };
    const bytes = input.memory.bytes.slice(memoryOffset, memoryOffset + METADATA_PAGE_BYTES);
    const decoded = decodeSuperblock(bytes);
    return { offsetBytes, found: decoded.ok ? ok(decoded.value) : failed(decoded.error) };
  });
  return { sizeBytes: device.sizeBytes, candidates };
}
