import type { DeviceNotice } from '../library/device-types.js';

/** What happened to a set, in order. Ids grow by one from 1 and begin again whenever the set is opened. */
export interface SetEvent extends DeviceNotice {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
}

/** The last events, and whoever wants to hear of the next ones. */
export class EventHistory {
  readonly #kept: SetEvent[] = [];
  /** By kind: how many of them are kept. */
  readonly #counts = new Map<string, number>();
  readonly #capacity: number;
  readonly #nowMs: () => number;
  readonly #listeners = new Set<(event: SetEvent) => void>();
  #nextId = 1;

  constructor(nowMs: () => number, capacity = DEFAULT_CAPACITY) {
    this.#nowMs = nowMs;
    this.#capacity = capacity;
  }

  add(notice: DeviceNotice): void {
    const event: SetEvent = { id: this.#nextId++, timeMs: this.#nowMs(), ...notice };
    this.#kept.push(event);
    this.#counts.set(event.event, (this.#counts.get(event.event) ?? 0) + 1);
    if (this.#kept.length > this.#capacity) this.#forgetOne();
    for (const listener of this.#listeners) listener(event);
  }

  /** Those that are still known, after the one with this id; 0: all. */
  after(id: number): SetEvent[] {
    return this.#kept.filter((event) => event.id > id);
  }

  /** `listener` hears of every event from now on, until the answer is called. */
  listen(listener: (event: SetEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The oldest of the kind that there is most of: a flood must not wash away what happened once. */
  #forgetOne(): void {
    const most = [...this.#counts].reduce((one, other) => (other[1] > one[1] ? other : one));
    this.#counts.set(most[0], most[1] - 1);
    this.#kept.splice(
      this.#kept.findIndex(({ event }) => event === most[0]),
      1,
    );
  }
}

const DEFAULT_CAPACITY = 1000;
