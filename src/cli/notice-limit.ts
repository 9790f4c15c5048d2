import type { DeviceNotice } from '../library/device-types.js';

/**
 * Keeps a flood out of the log: a disk that fails in a thousand places has a thousand times the same to say. Of each kind
 * of event the first lines of a window are let through; the rest is summed up in one line when the window is over.
 * `after`: calls back later, and does not keep the process alive.
 */
export class NoticeLimit {
  readonly #write: (notice: DeviceNotice) => void;
  readonly #after: (delayMs: number, task: () => void) => void;
  /** By kind, while its window is open: events so far. */
  readonly #counts = new Map<string, number>();

  constructor(
    write: (notice: DeviceNotice) => void,
    after: (delayMs: number, task: () => void) => void = afterUnlessEnded,
  ) {
    this.#write = write;
    this.#after = after;
  }

  add(notice: DeviceNotice): void {
    const before = this.#counts.get(notice.event);
    this.#counts.set(notice.event, (before ?? 0) + 1);
    if (before === undefined) this.#after(WINDOW_MS, () => this.#close(notice));
    if ((before ?? 0) < LINES_PER_WINDOW) this.#write(notice);
  }

  #close({ event, level }: DeviceNotice): void {
    const left = this.#counts.get(event)! - LINES_PER_WINDOW;
    this.#counts.delete(event);
    if (left <= 0) return;
    const seconds = WINDOW_MS / 1000;
    const message = `${left} more of "${event}" in ${seconds} s are not in this log; "dmremap events" has the last ones`;
    this.#write({ level, event, message, details: { leftOut: left } });
  }
}

function afterUnlessEnded(delayMs: number, task: () => void): void {
  setTimeout(task, delayMs).unref();
}

const WINDOW_MS = 10_000;
const LINES_PER_WINDOW = 20;
