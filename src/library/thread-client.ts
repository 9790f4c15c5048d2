import { type ResourceLimits, Worker } from 'node:worker_threads';
import { createWakeUp, type WakeUp, wake } from '../kernel/wake-up.js';
import type { DeviceInfo, DeviceNotice } from '../runtime/device-report.js';
import type {
  Call,
  CallValue,
  QueueThreadOptions,
  ThreadMessage,
  ThreadOptions,
} from '../runtime/messages.js';
import type { QueueShare } from '../runtime/queue-share.js';
import { FIXED_YOUNG_GENERATION } from '../runtime/touch-thread-memory.js';
import { DmRemapError } from './errors.js';

/** The main thread's end of the connection to a thread that serves a device: its owner, or one of its further queues. */
export class ThreadClient {
  readonly #worker: Worker;
  readonly #onNotice: (notice: DeviceNotice) => void;
  readonly #answers = new Map<number, Waiting<CallValue>>();
  readonly #abandon = (): void => this.#end();
  readonly #gone: Promise<void>;
  #crash: Error | undefined;
  #opening: Waiting<DeviceInfo | undefined> | undefined;
  /** Lives as long as the thread, so that waking it is always safe. */
  readonly #wakeUp: WakeUp;
  #nextId = 1;
  #isGone = false;
  /** After `watchMap`. */
  onMapChanged: (generation: number, entries: Float64Array) => void = () => {};

  /** Starts the thread of a device; resolves when it is open, rejects with `DmRemapError` when it can't be. */
  static async open(
    options: Omit<ThreadOptions, 'wakeUpFd'>,
    onNotice: (notice: DeviceNotice) => void,
  ): Promise<{ readonly client: ThreadClient; readonly info: DeviceInfo }> {
    const limits = options.ublkMemoryBytes > 0 ? FIXED_YOUNG_GENERATION : undefined;
    const client = new ThreadClient(
      DEVICE_THREAD,
      (wakeUpFd) => ({ ...options, wakeUpFd }),
      onNotice,
      createWakeUp(),
      limits,
    );
    return { client, info: (await client.#opened()) as DeviceInfo };
  }

  /**
   * Starts a thread for one more queue of a device. `wakeUp` is the caller's, who closes it when the device knows the
   * queue no more: it would be rung until then.
   */
  static async openQueue(share: QueueShare, wakeUp: WakeUp): Promise<ThreadClient> {
    const options = { share, wakeUpFd: wakeUp.fd };
    const client = new ThreadClient(
      QUEUE_THREAD,
      () => options,
      () => {},
      { fd: wakeUp.fd, close: () => {} },
      FIXED_YOUNG_GENERATION,
    );
    await client.#opened();
    return client;
  }

  private constructor(
    script: URL,
    optionsOf: (wakeUpFd: number) => ThreadOptions | QueueThreadOptions,
    onNotice: (notice: DeviceNotice) => void,
    wakeUp: WakeUp,
    resourceLimits: ResourceLimits | undefined,
  ) {
    this.#onNotice = onNotice;
    this.#wakeUp = wakeUp;
    this.#worker = new Worker(script, {
      workerData: optionsOf(wakeUp.fd),
      ...(resourceLimits && { resourceLimits }),
    });
    this.#worker.on('message', (message: ThreadMessage) => this.#receive(message));
    this.#worker.on('error', (error) => {
      this.#crash = error;
    });
    this.#gone = new Promise((resolve, reject) => {
      this.#worker.on('exit', () => {
        this.#isGone = true;
        process.off('exit', this.#abandon);
        // After a crash threads of queues may still ring it, and another file could have its number by then.
        if (this.#crash === undefined) this.#wakeUp.close();
        this.#fail(this.#crash ?? new DmRemapError('system', 'the device is closed'));
        if (this.#crash === undefined) resolve();
        else reject(this.#crash);
      });
    });
    // Whoever waits for it hears of a crash; nobody has to.
    this.#gone.catch(() => {});
    // A thread that sits in the kernel would keep the process from ending.
    process.on('exit', this.#abandon);
  }

  /** Rejects with `DmRemapError` if the device thread refuses or is gone. */
  call(call: Call): Promise<CallValue> {
    if (this.#isGone) return Promise.reject(new DmRemapError('system', 'the device is closed'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject });
      this.#post(id, call);
    });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Resolves when the thread has ended; rejects with the error if it crashed. */
  get gone(): Promise<void> {
    return this.#gone;
  }

  #opened(): Promise<DeviceInfo | undefined> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
  }

  #post(id: number, call: Call): void {
    this.#worker.postMessage({ id, call });
    wake(this.#wakeUp.fd);
  }

  #receive(message: ThreadMessage): void {
    switch (message.kind) {
      case 'opened':
        return this.#opening?.resolve(message.info);
      case 'openFailed':
        return this.#opening?.reject(DmRemapError.of(message.failure));
      case 'notice':
        return this.#onNotice(message.notice);
      case 'mapChanged':
        return this.onMapChanged(message.generation, message.entries);
      case 'answer':
        this.#answers.get(message.id)?.resolve(message.value);
        this.#answers.delete(message.id);
        return;
      case 'refusal':
        this.#answers.get(message.id)?.reject(DmRemapError.of(message.failure));
        this.#answers.delete(message.id);
    }
  }

  #fail(error: Error): void {
    this.#opening?.reject(error);
    for (const waiting of this.#answers.values()) waiting.reject(error);
    this.#answers.clear();
  }

  #end(): void {
    if (!this.#isGone) this.#post(0, { verb: 'abandon' });
  }
}

const DEVICE_THREAD = new URL('../runtime/device-thread.js', import.meta.url);
const QUEUE_THREAD = new URL('../runtime/queue-thread.js', import.meta.url);

interface Waiting<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}
