import { ERRNO } from '../../base/errno.js';
import type { Effect, Procedure } from '../../engine/effect.js';
import { plainMemory } from '../../ports/io-memory.js';
import { layOutColdMemory } from '../memory-map.js';
import { type SetSurvey, surveySet } from '../survey-set.js';

/** Looks at images of spares at once, with nothing in between: thousands of times a second. Writing is a mistake. */
export class ImageRunner {
  readonly #memory = plainMemory(COLD_MEMORY.endOffset);

  /** `isUnreadable`: reading any byte of this block of 4096 bytes fails. */
  survey(
    images: readonly Uint8Array[],
    isUnreadable: (device: number, block: number) => boolean = () => false,
  ): SetSurvey {
    const devices = images.map(({ length: sizeBytes }, target) => ({ target, sizeBytes }));
    const bufferOffset = COLD_MEMORY.recoveryOffset;
    return this.#run(surveySet({ devices, memory: this.#memory, bufferOffset }), images, isUnreadable);
  }

  #run<Value>(
    procedure: Procedure<Value>,
    images: readonly Uint8Array[],
    isUnreadable: (device: number, block: number) => boolean,
  ): Value {
    const answer = (effect: Effect): unknown => {
      if (effect.kind === 'all') return effect.effects.map(answer);
      if (effect.kind !== 'read') throw new Error(`${effect.kind} is not for looking`);
      const { target, offsetBytes, lengthBytes, memoryOffset } = effect;
      for (let at = offsetBytes; at < offsetBytes + lengthBytes; at += 4096)
        if (isUnreadable(target, Math.floor(at / 4096))) return -ERRNO.EIO;
      const bytes = images[target]!.subarray(offsetBytes, offsetBytes + lengthBytes);
      if (bytes.length !== lengthBytes) throw new Error(`reads ${offsetBytes}, beyond the end`);
      this.#memory.bytes.set(bytes, memoryOffset);
      return lengthBytes;
    };
    let step = procedure.next(undefined);
    while (step.done !== true) step = procedure.next(answer(step.value));
    return step.value;
  }
}

const COLD_MEMORY = layOutColdMemory();
