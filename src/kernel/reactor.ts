import { performance } from 'node:perf_hooks';
import { assert } from '../base/assert.js';
import { ok, type Result } from '../base/result.js';
import { mapMemory } from './aligned-memory.js';
import { BusyWait } from './busy-wait.js';
import { type CompletionHandler, Ring } from './io-uring.js';
import type { Poller, Reactor } from './reactor-interface.js';
import type { RingFailure } from './ring-mapping.js';
import { TimerHeap } from './timer-heap.js';
import { OP } from './uring-abi.js';
import { createWakeUp, type WakeUp, wake } from './wake-up.js';

/**
 * The loop of a thread that sits in io_uring_enter. While it runs, Node's own event loop of the thread stands still:
 * no Promise settles, no message arrives, no node timer fires. Other threads reach it by `wake(wakeUpFd)`.
 */
export class UringReactor implements Reactor, CompletionHandler {
  readonly ring: Ring;

  private readonly wakeUp: WakeUp;
  private readonly wakeCounter = mapMemory(WAKE_COUNTER_BYTES);
  private readonly wakeKind: number;
  private readonly timers = new TimerHeap();
  private readonly busyWait = new BusyWait();
  /** Replaced as a whole, so that a turn may change it. */
  private pollers: readonly Poller[] = [];
  private wakeCallbacks: readonly (() => void)[] = [];
  private kicked = false;
  private turnsUntilClock = 0;
  private stopping = false;
  private closing = false;

  /**
   * `entries`: how many operations are handed to the kernel at once; more may be in flight. `wakeUpFd`: an eventfd of
   * the caller, who closes it after the reactor; left out, the reactor has its own.
   */
  static open(entries: number, wakeUpFd?: number): Result<UringReactor, RingFailure> {
    const ring = Ring.open(entries);
    if (!ring.ok) return ring;
    const wakeUp = wakeUpFd === undefined ? createWakeUp() : { fd: wakeUpFd, close: () => {} };
    return ok(new UringReactor(ring.value, wakeUp));
  }

  private constructor(ring: Ring, wakeUp: WakeUp) {
    this.ring = ring;
    this.wakeUp = wakeUp;
    this.wakeKind = ring.registerHandler(this);
    this.armWakeUp();
  }

  /** For `wake` on any thread of the process, until `close`. */
  get wakeUpFd(): number {
    return this.wakeUp.fd;
  }

  /** Turns until `stop` is called by something in a turn. */
  run(): void {
    this.stopping = false;
    while (!this.stopping) this.turn(FOR_EVER_MS);
  }

  /**
   * As `run`, for a ring with operations that nobody waits for any more: no timer, no poller. Descriptors that were closed
   * are not yet free: of an operation that went through a kernel thread (every fsync), the kernel may let go of the file
   * only when this thread enters the ring once more (Linux 6.12 and 6.18, io_free_req with DEFER_TASKRUN).
   */
  serveRing(): void {
    this.stopping = false;
    while (!this.stopping) {
      this.ring.enter(1, FOR_EVER_MS);
      this.ring.reap();
    }
  }

  /** Lets `run` or `serveRing` return when the current turn is over. From this thread only. */
  stop(): void {
    this.stopping = true;
  }

  /** One round: timers, pollers, submit and wait (`waitMaxMs` at most, -1 for ever), completions. */
  turn(waitMaxMs: number): void {
    this.runTimers();
    if (this.runPollers() || waitMaxMs === 0) this.ring.enter(0, 0);
    else this.waitForWork(waitMaxMs);
    this.ring.reap();
  }

  private waitForWork(waitMaxMs: number): void {
    const isBusy = this.busyWait.limitMs > 0;
    if (isBusy && this.looks()) return;
    this.turnsUntilClock = 0;
    const startedAtMs = performance.now();
    if (isBusy && this.looksUntilLimit(startedAtMs)) return;
    this.ring.enter(1, this.sleepMs(startedAtMs, waitMaxMs));
    this.busyWait.noteSlept(performance.now() - startedAtMs);
  }

  /** Submits what is queued and looks for completions. Much I/O to memory is over by then: no look at the clock. */
  private looks(): boolean {
    this.ring.enter(0, 0);
    return this.ring.hasCompletions;
  }

  private looksUntilLimit(startedAtMs: number): boolean {
    const endMs = startedAtMs + this.busyWait.limitMs;
    let nowMs = startedAtMs;
    for (let lookCount = 1; ; lookCount += 1) {
      if (this.looks()) return true;
      nowMs = performance.now();
      if (nowMs < endMs) continue;
      this.busyWait.noteLooked(lookCount, nowMs - startedAtMs);
      return false;
    }
  }

  /** `callback` runs in the turn after a `wake`. */
  onWake(callback: () => void): void {
    this.wakeCallbacks = [...this.wakeCallbacks, callback];
  }

  addPoller(poller: Poller): void {
    this.pollers = [...this.pollers, poller];
  }

  removePoller(poller: Poller): void {
    assert(this.pollers.includes(poller), 'removes a poller that was not added');
    this.pollers = this.pollers.filter((other) => other !== poller);
  }

  kick(): void {
    this.kicked = true;
  }

  nowMs(): number {
    return performance.now();
  }

  wallClockSeconds(): number {
    return Math.floor(Date.now() / 1000);
  }

  after(delayMs: number, task: () => void): void {
    assert(delayMs >= 0, `not a delay: ${delayMs}`);
    this.timers.add(this.nowMs() + delayMs, task);
  }

  /** Gives up ring and wake-up. Only when everything else on the ring has ended, and not inside a turn. */
  close(): void {
    this.closing = true;
    wake(this.wakeUp.fd);
    while (this.closing) {
      this.ring.enter(1, FOR_EVER_MS);
      this.ring.reap();
    }
    this.ring.close();
    this.wakeUp.close();
    this.wakeCounter.unmap();
  }

  /** For the ring: the wake-up's counter was read. */
  ringCompletion(_ticket: number, result: number): void {
    assert(result === WAKE_COUNTER_BYTES, `reading the wake-up failed: ${result}`);
    if (this.closing) {
      this.closing = false;
      return;
    }
    this.armWakeUp();
    for (const callback of this.wakeCallbacks) callback();
  }

  private armWakeUp(): void {
    const { address } = this.wakeCounter;
    this.ring.submit(
      this.wakeKind,
      0,
      OP.READ,
      this.wakeUp.fd,
      address,
      WAKE_COUNTER_BYTES,
      CURRENT_POSITION,
      0,
      0,
      0,
    );
  }

  /** A thread that never waits looks at the clock now and then: there is always some timer that is far away. */
  private runTimers(): void {
    if (this.timers.nextDueMs() === Number.POSITIVE_INFINITY) return;
    this.turnsUntilClock -= 1;
    if (this.turnsUntilClock > 0) return;
    this.turnsUntilClock = TURNS_PER_CLOCK;
    this.timers.runDue(this.nowMs());
  }

  /** True when the loop must not block. */
  private runPollers(): boolean {
    this.kicked = false;
    let pending = false;
    const { pollers } = this;
    for (let index = 0; index < pollers.length; index += 1) {
      if (pollers[index]!.poll()) pending = true;
    }
    return pending || this.kicked || this.stopping;
  }

  private sleepMs(nowMs: number, waitMaxMs: number): number {
    const dueMs = this.timers.nextDueMs();
    if (dueMs === Number.POSITIVE_INFINITY) return waitMaxMs;
    const untilDueMs = Math.max(0, dueMs - nowMs);
    return waitMaxMs < 0 ? untilDueMs : Math.min(waitMaxMs, untilDueMs);
  }
}

const WAKE_COUNTER_BYTES = 8;
const CURRENT_POSITION = -1;
const FOR_EVER_MS = -1;
/** Of a thread that never waits: a few of them take less than a millisecond. */
const TURNS_PER_CLOCK = 8;
