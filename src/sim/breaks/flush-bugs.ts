import type { PlantedBug } from './planted-bug.js';

/** Flushes that are believed and prove nothing, and writes that are to be durable and are not. */
export const FLUSH_BUGS: readonly PlantedBug[] = [
  {
    name: 'flush-joins-under-way',
    what: 'who asks for a flush shares the one under way, which began before what it is to cover was written',
    file: 'device/flush-turns.js',
    find: 'else if (this.#waiting[target] === NOBODY) {',
    replace: `else if (true) {
            this.#next[ticket] = this.#next[this.#served[target]];
            this.#next[this.#served[target]] = ticket;
        }
        else if (this.#waiting[target] === NOBODY) {`,
    from: 77_000_300,
    seeds: 40,
  },
  {
    name: 'dirty-not-under-way',
    what: 'a spare that is being flushed counts as flushed',
    file: 'device/dirty-spares.js',
    find: 'this.#flushesUnderWay[target] !== 0 || ',
    replace: '',
    from: 77_000_741,
    seeds: 30,
  },
  {
    name: 'held-loses-fua',
    what: 'a durable write that waited for a device is an ordinary one afterwards',
    file: 'device/held-requests.js',
    find: 'slots.flags[slot] |= HELD;',
    replace: 'slots.flags[slot] = HELD;',
    from: 77_000_160,
    seeds: 40,
  },
  {
    name: 'forwarded-not-durable',
    what: 'a durable write of another thread that the owner has to do is an ordinary one there',
    file: 'device/remapped-device.js',
    find: 'memoryOffset, queue.flags[origin]);',
    replace: 'memoryOffset, 0);',
    from: 77_000_000,
    seeds: 60,
  },
  {
    name: 'zeroes-not-durable',
    what: 'zeroes that are to be durable are not flushed',
    file: 'engine/cold-range.js',
    find: 'return options.durable ? yield* flushWritten(context, failuresBefore, written) : 0;',
    replace: 'return 0;',
    from: 77_000_000,
    seeds: 40,
  },
];
