import { Worker } from 'node:worker_threads';
import { createWakeUp, wake } from '../kernel/wake-up.js';
import type { DeviceInfo, DeviceNotice } from '../runtime/device-report.js';
import type { Call, CallValue, ThreadMessage, ThreadOptions } from '../runtime/messages.js';
import { DmRemapError } from './errors.js';

/** The main thread's end of the connection to the thread of a device. */
export class ThreadClient {
  readonly #worker: Worker;
  readonly #onNotice: (notice: DeviceNotice) => void;
  readonly #answers = new Map<number, Waiting<CallValue>>();
  readonly #abandon = (): void => this.#end();
  readonly #gone: Promise<void>;
  #crash: Error | undefined;
  #opening: Waiting<DeviceInfo> | undefined;
  /** Lives as long as the thread, so that waking it is always safe. */
  readonly #wakeUp = createWakeUp();
  #nextId = 1;
  #isGone = false;

  /** Starts the thread; resolves when the device is open, rejects with `DmRemapError` when it can't be. */
  static async open(
    options: Omit<ThreadOptions, 'wakeUpFd'>,
    onNotice: (notice: DeviceNotice) => void,
  ): Promise<{ readonly client: ThreadClient; readonly info: DeviceInfo }> {
    const client = new ThreadClient(options, onNotice);
    const info = await new Promise<DeviceInfo>((resolve, reject) => {
      client.#opening = { resolve, reject };
    });
    return { client, info };
  }

  private constructor(options: Omit<ThreadOptions, 'wakeUpFd'>, onNotice: (notice: DeviceNotice) => void) {
    this.#onNotice = onNotice;
    const workerData: ThreadOptions = { ...options, wakeUpFd: this.#wakeUp.fd };
    this.#worker = new Worker(new URL('../runtime/device-thread.js', import.meta.url), { workerData });
    this.#worker.on('message', (message: ThreadMessage) => this.#receive(message));
    this.#worker.on('error', (error) => {
      this.#crash = error;
    });
    this.#gone = new Promise((resolve, reject) => {
      this.#worker.on('exit', () => {
        this.#isGone = true;
        process.off('exit', this.#abandon);
        this.#wakeUp.close();
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

interface Waiting<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}
