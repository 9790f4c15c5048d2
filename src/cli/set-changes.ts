import { setTimeout as delay } from 'node:timers/promises';
import type { ClosedDevice } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';

/**
 * Changes of a set that can't be made while it is open. Who asks waits; the process hands the set over to itself: it
 * closes the set, with the block device and its waiting I/O left to the driver, makes the change, and starts again.
 */
export class SetChanges {
  #take: (change: SetChange) => void = () => {};
  #isTaken = false;
  /** The first that is asked for; there is no other in the life of this process. */
  readonly wanted: Promise<SetChange> = new Promise((resolve) => {
    this.#take = resolve;
  });

  get isUnderWay(): boolean {
    return this.#isTaken;
  }

  /**
   * `make` is called when the set is closed, and answers how the command line changes. `told` resolves when the one who
   * asked has the answer. Rejects as `make` does, where the set could not be closed in order (then nothing was changed),
   * and where another change is under way.
   */
  ask<Value>(make: (closed: ClosedDevice) => Promise<Made<Value>>, told: Promise<void>): Promise<Value> {
    if (this.#isTaken) throw new DmRemapError('device', 'another change of the set is under way; try again');
    this.#isTaken = true;
    return new Promise((resolve, reject) => {
      this.#take({
        make: async (closed) => {
          const changed = await closed.then(make).then(
            ({ value, commandLine }) => {
              resolve(value);
              return commandLine;
            },
            (error: unknown) => {
              reject(error);
              return unchanged;
            },
          );
          await Promise.race([told, delay(TELLING_LIMIT_MS)]);
          return changed;
        },
      });
    });
  }
}

export interface SetChange {
  /** Never rejects, not even if `closed` does: who asked is told. Answers how the command line changes. */
  make(closed: Promise<ClosedDevice>): Promise<CommandLineChange>;
}

export interface Made<Value> {
  readonly value: Value;
  readonly commandLine: CommandLineChange;
}

export type CommandLineChange = (words: readonly string[]) => readonly string[];

/** As a command line that names all spares, also where they came from somewhere else. */
export function namingSpares(words: readonly string[], spares: readonly string[]): readonly string[] {
  const areNamed = words.some((word) => word === '--spare' || word.startsWith('--spare='));
  return areNamed ? words : [...words, ...spares.flatMap((path) => ['--spare', path])];
}

export function withSpare(path: string): CommandLineChange {
  return (words) => [...words, '--spare', path];
}

/** `path` as it was given. */
export function withoutSpare(path: string): CommandLineChange {
  return (words) =>
    words.filter((word, index) => {
      const isName = word === '--spare' && words[index + 1] === path;
      const isValue = word === path && words[index - 1] === '--spare';
      return !isName && !isValue && word !== `--spare=${path}`;
    });
}

/** As a command line that names this main device, whatever named the old one. */
export function withMain(path: string): CommandLineChange {
  return (words) => {
    const others = words.filter((word, index) => {
      const isName = word === '--main' || words[index - 1] === '--main';
      return !isName && !word.startsWith('--main=');
    });
    return [...others, '--main', path];
  };
}

const unchanged: CommandLineChange = (words) => words;

/** A client that does not take its answer must not keep the set from being served. */
const TELLING_LIMIT_MS = 2_000;
