import { expect } from 'vitest';
import type { BlockStore } from '../../src/ports/block-store.js';
import type { IoMemory } from '../../src/ports/io-memory.js';
import { xorshift } from '../support/xorshift.js';
import { CompletionRecorder } from './completion-recorder.js';
import type { StoreUnderTest } from './store-under-test.js';

/** One store in its recorder, with calls that wait for their own completion on ticket 0. */
export class StoreBench {
  recorder = new CompletionRecorder();
  #current: StoreUnderTest | null = null;

  open(current: StoreUnderTest): void {
    this.#current = current;
    this.recorder = new CompletionRecorder();
    current.store.attach(this.recorder);
  }

  async dispose(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    await current?.dispose();
  }

  get #open(): StoreUnderTest {
    if (this.#current === null) throw new Error('no store is open');
    return this.#current;
  }

  get store(): BlockStore {
    return this.#open.store;
  }

  get memory(): IoMemory {
    return this.#open.memory;
  }

  get truncate(): ((sizeBytes: number) => void) | undefined {
    return this.#open.truncate;
  }

  get blockBytes(): number {
    return this.store.geometry.logicalBlockBytes;
  }

  /** Till every started ticket has completed. */
  idle(): Promise<void> {
    return this.#open.runUntil(() => this.recorder.inFlightCount === 0);
  }

  async run(submit: (ticket: number) => void): Promise<number> {
    this.recorder.start(0, () => submit(0));
    await this.idle();
    return this.recorder.resultOf(0);
  }

  write(offsetBytes: number, data: Buffer, durable = false): Promise<number> {
    this.memory.bytes.set(data, 0);
    return this.run((ticket) => this.store.write(ticket, offsetBytes, data.length, 0, durable));
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Buffer> {
    this.memory.bytes.fill(0xde, 0, lengthBytes);
    const result = await this.run((ticket) => this.store.read(ticket, offsetBytes, lengthBytes, 0));
    expect(result).toBe(lengthBytes);
    return Buffer.from(this.memory.bytes.subarray(0, lengthBytes));
  }
}

/** Byte for byte; tells the first place that differs, which `toEqual` takes seconds for. */
export function expectBytes(actual: Buffer, expected: Buffer): void {
  if (actual.equals(expected)) return;
  expect(actual.length).toBe(expected.length);
  const index = actual.findIndex((byte, at) => byte !== expected[at]);
  expect.fail(`byte ${index} is ${actual[index]}, not ${expected[index]}`);
}

export function fill(lengthBytes: number, value: number): Buffer {
  return Buffer.alloc(lengthBytes, value);
}

/** Data in which no two blocks are alike; `seed` is not 0. */
export function noise(lengthBytes: number, seed: number): Buffer {
  const next = xorshift(seed * 0x9e37_79b9);
  const words = Uint32Array.from({ length: lengthBytes / 4 }, next);
  return Buffer.from(words.buffer);
}
