import { Actor } from './actor.js';

/**
 * While installed, every atomic operation of an actor is a place where others may come in between: `interrupt` is
 * called before it, and may run other actors. What threads do to each other shows at their atomic operations, so this
 * plays out races in one thread, the same for the same seed.
 */
export function withAtomicSteps(interrupt: () => void, body: () => void): void {
  for (const name of NAMES) {
    const original = ORIGINALS[name] as (...values: unknown[]) => unknown;
    Object.defineProperty(Atomics, name, {
      ...WRITABLE,
      value: (...values: unknown[]) => {
        if (name !== 'load' || isWorthAStep(values[0], values[1]))
          Actor.interrupt(INTERRUPTED_MAX, interrupt);
        return original(...values);
      },
    });
  }
  try {
    body();
  } finally {
    for (const name of NAMES) Object.defineProperty(Atomics, name, { ...WRITABLE, value: ORIGINALS[name] });
  }
}

/** A look for locked units passes all slots of a queue; requests are in its first ones. */
function isWorthAStep(array: unknown, index: unknown): boolean {
  return !(array instanceof Uint8Array) || Number(index) < SLOTS_WATCHED;
}

const SLOTS_WATCHED = 8;
const NAMES = ['load', 'store', 'exchange', 'add', 'sub', 'and', 'or'] as const;
const ORIGINALS = Object.fromEntries(NAMES.map((name) => [name, Atomics[name]]));
const WRITABLE = { configurable: true, writable: true, enumerable: false };
const INTERRUPTED_MAX = 3;
