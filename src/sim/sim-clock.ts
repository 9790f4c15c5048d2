import type { Scheduler } from '../ports/scheduler.js';

/** Something that happens at a time; the object is its owner's, who may use it again afterwards. */
export interface ClockEvent {
  atUs: number;
  /** Of events of the same time, the lower one is first. */
  order: number;
  fire(): void;
}

/** Virtual time: a heap of events. Nothing happens but what is fired here. */
export class SimClock implements Scheduler {
  nowUs = 0;
  firedCount = 0;
  readonly #heap: ClockEvent[] = [];
  #order = 0;

  nowMs(): number {
    return this.nowUs / 1000;
  }

  wallClockSeconds(): number {
    return FIRST_SECOND + Math.floor(this.nowUs / 1_000_000);
  }

  after(delayMs: number, task: () => void): void {
    this.schedule({ atUs: 0, order: 0, fire: task }, delayMs * 1000);
  }

  schedule(event: ClockEvent, delayUs: number): void {
    event.atUs = this.nowUs + delayUs;
    event.order = this.#order;
    this.#order += 1;
    const heap = this.#heap;
    heap.push(event);
    this.#siftUp(heap.length - 1);
  }

  get isEmpty(): boolean {
    return this.#heap.length === 0;
  }

  /** When the next event happens; never: infinity. */
  get nextAtUs(): number {
    return this.#heap[0]?.atUs ?? Number.POSITIVE_INFINITY;
  }

  /** Fires the next event, however far away; false if there is none. */
  fireNext(): boolean {
    const event = this.#heap[0];
    if (event === undefined) return false;
    this.#removeFirst();
    this.nowUs = event.atUs;
    this.firedCount += 1;
    event.fire();
    return true;
  }

  /** Fires all that happens within so long a time. */
  advance(durationMs: number): void {
    const endUs = this.nowUs + durationMs * 1000;
    while (this.#heap.length > 0 && this.#heap[0]!.atUs <= endUs) this.fireNext();
    this.nowUs = endUs;
  }

  /** Whatever was to happen does not. */
  clear(): void {
    this.#heap.length = 0;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    this.#siftDown();
  }

  #siftUp(from: number): void {
    const heap = this.#heap;
    const event = heap[from]!;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #siftDown(): void {
    const heap = this.#heap;
    const event = heap[0]!;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, event)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = event;
  }
}

function isBefore(one: ClockEvent, other: ClockEvent): boolean {
  return one.atUs !== other.atUs ? one.atUs < other.atUs : one.order < other.order;
}

const FIRST_SECOND = 1_700_000_000;
