import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createWakeUp, type WakeUp, wake } from '../../dist/kernel/wake-up.js';
import { formatSpares, openDevice } from '../../dist/library/index.js';
import type { DeviceStatus } from '../../dist/runtime/device-report.js';
import type { AddedQueue, Call, CallValue, ThreadOptions } from '../../dist/runtime/messages.js';
import { describeUring } from '../../src/kernel/testing/uring-available.js';

const MAIN_BYTES = 6 << 20;
const BLOCK_BYTES = 512;
const GROUP_BLOCKS = 4;
const CLIENTS = 3;
const REQUESTS = 10_000;
/** Of the I/O memory of each client. */
const MEMORY_BYTES = 4 << 20;

/** A thread of the test, with the eventfd that wakes it. */
class TestThread {
  readonly #wakeUp: WakeUp;
  readonly #worker: Worker;
  readonly #messages: object[] = [];
  #news: () => void = () => {};
  #crash: Error | undefined;
  #nextId = 1;
  readonly ended: Promise<void>;

  constructor(script: string, data: object, wakeUp = createWakeUp()) {
    this.#wakeUp = wakeUp;
    const workerData = { ...data, wakeUpFd: wakeUp.fd };
    this.#worker = new Worker(new URL(`../support/${script}`, import.meta.url), { workerData });
    this.#worker.on('message', (message) => {
      this.#messages.push(message);
      this.#news();
    });
    this.#worker.on('error', (error) => {
      this.#crash = error;
      this.#news();
    });
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', () => resolve());
    });
  }

  /** The first message that fits; rejects if the thread crashes. */
  async message<Wanted>(fits: (message: object) => boolean): Promise<Wanted> {
    for (;;) {
      if (this.#crash !== undefined) throw this.#crash;
      const index = this.#messages.findIndex(fits);
      if (index !== -1) return this.#messages.splice(index, 1)[0] as Wanted;
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
  }

  post(message: unknown): void {
    this.#worker.postMessage(message);
    wake(this.#wakeUp.fd);
  }

  /** Ends it wherever it is. */
  async kill(): Promise<void> {
    const terminated = this.#worker.terminate();
    wake(this.#wakeUp.fd);
    await terminated;
    this.#wakeUp.close();
  }

  async call(call: Call): Promise<CallValue> {
    const id = this.#nextId++;
    this.post({ id, call });
    const answer = await this.message<{ kind: string; value: CallValue }>(
      (message) => 'id' in message && message.id === id,
    );
    expect(answer.kind, JSON.stringify(answer)).toBe('answer');
    return answer.value;
  }
}

/** Every block that belongs to a client holds its number plus one, in every word. */
function initialImage(): Uint8Array {
  const words = new Int32Array(MAIN_BYTES / 4);
  const groupWords = (GROUP_BLOCKS * BLOCK_BYTES) / 4;
  for (let word = 0; word < words.length; word += 1)
    words[word] = (Math.floor(word / groupWords) % CLIENTS) + 1;
  return new Uint8Array(words.buffer);
}

/** Writes fail in the first half of every fifth unit. */
function faults(): string {
  const sectors: string[] = [];
  for (let first = 8; first < MAIN_BYTES / BLOCK_BYTES; first += 40) sectors.push(`${first}-${first + 3}`);
  return `main:\n  - { sectors: "${sectors.join(',')}", on: [write, writeZeroes], error: ENODATA }\n`;
}

let directory: string;
let main: string;
let spare: string;
let threads: TestThread[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-queues-'));
  main = join(directory, 'main.img');
  spare = join(directory, 'spare.img');
  writeFileSync(main, initialImage());
  writeFileSync(spare, new Uint8Array(6 << 20));
  writeFileSync(join(directory, 'faults.yaml'), faults());
  await formatSpares({ main, spares: [spare] });
  threads = [];
});

afterEach(async () => {
  for (const thread of threads) await thread.kill();
  rmSync(directory, { recursive: true });
});

async function startOwner(): Promise<{ owner: TestThread; memoryOffset: number }> {
  const options: Omit<ThreadOptions, 'faults' | 'ublkMemoryBytes' | 'wakeUpFd'> = {
    main,
    spares: [spare],
    io: 'uring',
    given: { on_gone: { value: 0, givenBy: 'this test' } },
    force: false,
    openPatienceMs: 0,
  };
  const faultsPath = join(directory, 'faults.yaml');
  const ublkMemoryBytes = CLIENTS * MEMORY_BYTES;
  const owner = new TestThread('queue-owner.mjs', { ...options, faults: faultsPath, ublkMemoryBytes });
  threads.push(owner);
  const opened = await owner.message<{ info: { ublkMemoryOffset: number } }>((message) => 'info' in message);
  return { owner, memoryOffset: opened.info.ublkMemoryOffset };
}

async function startHammer(owner: TestThread, client: number, memoryOffset: number): Promise<Hammer> {
  const wakeUp = createWakeUp();
  const { share, queueId } = (await owner.call({ verb: 'addQueue', wakeUpFd: wakeUp.fd })) as AddedQueue;
  const task = { client, clientCount: CLIENTS, requestCount: REQUESTS, depth: 24, seed: 77 + client };
  const memory = { memoryOffset: memoryOffset + client * MEMORY_BYTES };
  const data = { share, faults: join(directory, 'faults.yaml'), ...task, ...memory };
  const thread = new TestThread('queue-hammer.mjs', data, wakeUp);
  threads.push(thread);
  return { thread, queueId };
}

interface Hammer {
  readonly thread: TestThread;
  readonly queueId: number;
}

interface Hammered {
  readonly contents: Int32Array;
  readonly failures: readonly string[];
}

/** What every block of the device must hold. */
function expectedImage(hammered: readonly Hammered[]): Int32Array {
  const words = new Int32Array(initialImage().buffer);
  for (const [client, { contents }] of hammered.entries()) {
    for (const [index, value] of contents.entries()) {
      const group = Math.floor(index / GROUP_BLOCKS) * CLIENTS + client;
      const block = group * GROUP_BLOCKS + (index % GROUP_BLOCKS);
      words.fill(value, (block * BLOCK_BYTES) / 4, ((block + 1) * BLOCK_BYTES) / 4);
    }
  }
  return words;
}

describeUring('queues on threads of their own', () => {
  it('lose and mix up nothing while units move under them, and leave a map that the next start reads', async () => {
    const { owner, memoryOffset } = await startOwner();
    const hammers: Hammer[] = [];
    for (let client = 0; client < CLIENTS; client += 1)
      hammers.push(await startHammer(owner, client, memoryOffset));
    const results = hammers.map(({ thread }) => thread.message<Hammered>((message) => 'contents' in message));
    const hammered = await Promise.all(results);
    expect(hammered.flatMap(({ failures }) => failures)).toEqual([]);
    for (const { thread, queueId } of hammers) {
      thread.post('close');
      await thread.ended;
      await owner.call({ verb: 'removeQueue', queueId });
    }
    const { remappedUnits, counters } = (await owner.call({ verb: 'status' })) as DeviceStatus;
    expect(remappedUnits).toBeGreaterThan(200);
    expect(counters.reads + counters.writes + counters.writeZeroes + counters.flushes).toBe(
      CLIENTS * REQUESTS,
    );
    expect(counters.requestsFailed).toBe(0);
    const wanted = Buffer.from(expectedImage(hammered).buffer);
    const read = await owner.call({ verb: 'read', offsetBytes: 0, lengthBytes: MAIN_BYTES });
    expect(Buffer.compare(read as Uint8Array, wanted)).toBe(0);
    await owner.call({ verb: 'close' });
    await owner.ended;
    const again = await openDevice({ main, spares: [spare], io: 'uring' });
    expect(Buffer.compare(await again.read(0, MAIN_BYTES), wanted)).toBe(0);
    await again.close();
  });
});
