import { mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../src/base/assert.js';
import { alignUp } from '../src/base/units.js';
import { TICKET_COUNT } from '../src/device/limits.js';
import { layOutColdMemory } from '../src/device/memory-map.js';
import { RemappedDevice } from '../src/device/remapped-device.js';
import { DeviceOnMemory } from '../src/device/testing/device-on-memory.js';
import { FlushFailures } from '../src/frontends/ublk/flush-failures.js';
import { UblkQueue } from '../src/frontends/ublk/queue.js';
import { DESCRIPTION_WORD, DESCRIPTION_WORDS } from '../src/frontends/ublk/request-description.js';
import { mapMemory } from '../src/kernel/aligned-memory.js';
import type { Ring } from '../src/kernel/io-uring.js';
import { openDevice } from '../src/kernel/open-device.js';
import { UringReactor } from '../src/kernel/reactor.js';
import { RingUblkChannel } from '../src/kernel/ring-ublk-channel.js';
import { IO_DESC_BYTES } from '../src/kernel/ublk-abi.js';
import { OP } from '../src/kernel/uring-abi.js';
import { UringStore } from '../src/kernel/uring-store.js';
import type { IoMemory } from '../src/ports/io-memory.js';
import { inlineRequestPath } from '../src/runtime/inline-request-path.js';
import { median } from './figures.js';

/**
 * What our own instructions cost per request of a ublk queue: the real loop, ring, queue, engine and store, with every
 * operation of the ring replaced by one that does nothing (NOP). Needs no ublk driver, so it runs anywhere with Linux 6.10.
 * `--as-library`: with V8 as another program would have it.
 * Processor time of this process, which other processes disturb less than the clock.
 */
export async function hotPathBench(args: string[]): Promise<number> {
  const json = args.includes('--json');
  if (!args.includes('--as-library')) inlineRequestPath();
  const depths = args.filter((arg) => /^\d+$/.test(arg)).map(Number);
  const rows = (depths.length > 0 ? depths : [1, 32]).map((depth) => ({ depth, ...cost(depth) }));
  const report = { version: 1, node: process.version, rows };
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${rows.map(line).join('\n')}\n`);
  return 0;
}

function line(row: { depth: number; userNs: number; systemNs: number }): string {
  const { depth, userNs, systemNs } = row;
  return `depth ${String(depth).padEnd(3)} per request: ${Math.round(userNs)} ns ours, ${Math.round(systemNs)} ns kernel`;
}

function cost(depth: number): { userNs: number; systemNs: number } {
  const queue = new IdleQueue(depth);
  queue.serve(WARM_UP_REQUESTS);
  const samples = Array.from({ length: SAMPLE_COUNT }, () => {
    const before = process.cpuUsage();
    queue.serve(SAMPLE_REQUESTS);
    return process.cpuUsage(before);
  });
  const perRequestNs = (us: number): number => (us * 1000) / SAMPLE_REQUESTS;
  return {
    userNs: perRequestNs(median(samples.map(({ user }) => user))),
    systemNs: perRequestNs(median(samples.map(({ system }) => system))),
  };
}

const WARM_UP_REQUESTS = 400_000;
const SAMPLE_REQUESTS = 200_000;
const SAMPLE_COUNT = 7;
const A_WEEK_MS = 604_800_000;

/** A queue whose client asks for 4 KiB at random places as fast as it is answered. */
class IdleQueue {
  readonly #reactor: UringReactor;
  #served = 0;

  constructor(depth: number) {
    const reactor = UringReactor.open(512);
    assert(reactor.ok, 'io_uring works here');
    this.#reactor = reactor.value;
    const memory = mapMemory(layOutColdMemory().endOffset + depth * MAX_IO_BYTES);
    const ring = new NopRing(reactor.value.ring, () => this.#note());
    const files = makeFiles(depth);
    const device = makeDevice(reactor.value, files.mainPath, ring, memory);
    const channel = RingUblkChannel.open({
      ring,
      charFd: files.descriptorsFd,
      queueIndex: 0,
      depth,
      isZeroCopy: false,
      memoryAddress: memory.address,
    });
    assert(channel.ok, 'the descriptors can be mapped');
    const queue = new UblkQueue({
      device,
      channel: channel.value,
      memoryOffset: layOutColdMemory().endOffset,
      maxIoBytes: MAX_IO_BYTES,
      isNeverFlushed: false,
      flushFailures: new FlushFailures(new Int32Array(new SharedArrayBuffer(4))),
      kick: () => reactor.value.kick(),
    });
    reactor.value.addPoller(device);
    reactor.value.addPoller(queue);
    queue.start(() => {});
    // As the scrub of the metadata, which every device has.
    reactor.value.after(A_WEEK_MS, () => {});
  }

  serve(count: number): void {
    const end = this.#served + count;
    while (this.#served < end) this.#reactor.turn(-1);
  }

  #note(): void {
    this.#served += 1;
  }
}

/** Passes everything on as a NOP that answers what the operation would. */
class NopRing {
  readonly #ring: Ring;
  readonly #onCommand: () => void;

  constructor(ring: Ring, onCommand: () => void) {
    this.#ring = ring;
    this.#onCommand = onCommand;
  }
  registerHandler(...args: Parameters<Ring['registerHandler']>): number {
    return this.#ring.registerHandler(...args);
  }

  releaseHandler(kind: number): void {
    this.#ring.releaseHandler(kind);
  }

  get queuedTotal(): number {
    return this.#ring.queuedTotal;
  }

  linkLast(queuedBefore: number): boolean {
    return this.#ring.linkLast(queuedBefore);
  }

  registerBufferTable(): number {
    return assert(false, 'no zero copy here') as never;
  }

  submitTransfer(
    kind: number,
    ticket: number,
    _opcode: number,
    fd: number,
    memoryOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): void {
    const flags = NOP_INJECT_RESULT;
    this.#ring.submitTransfer(kind, ticket, OP.NOP, fd, memoryOffset, lengthBytes, offsetBytes, flags);
  }

  submitUblkCommand(
    kind: number,
    ticket: number,
    fd: number,
    commandOp: number,
    _queueAndTag: number,
    _result: number,
    memoryOffset: number,
  ): void {
    this.#onCommand();
    this.#ring.submitTransfer(kind, ticket, OP.NOP, fd, memoryOffset, 0, commandOp, NOP_INJECT_RESULT);
  }

  submit(): void {
    assert(false, 'only transfers here');
  }

  submitFixed(): void {
    assert(false, 'no zero copy here');
  }

  submitCommand(): void {
    assert(false, 'no discard here');
  }
}

interface Files {
  readonly mainPath: string;
  /** As /dev/ublkcN: what every tag asks for can be mapped. */
  readonly descriptorsFd: number;
}

function makeFiles(depth: number): Files {
  const directory = mkdtempSync('/dev/shm/dmr-bench-');
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const mainPath = join(directory, 'main.img');
  writeFileSync(mainPath, '');
  truncateSync(mainPath, MAIN_BYTES);
  const words = new Uint32Array(depth * DESCRIPTION_WORDS);
  for (let tag = 0; tag < depth; tag += 1) {
    words[tag * DESCRIPTION_WORDS + DESCRIPTION_WORD.SECTOR_COUNT] = 8;
    words[tag * DESCRIPTION_WORDS + DESCRIPTION_WORD.START_SECTOR_LOW] =
      FIRST_BYTES / 512 + ((tag * 7919) % 8192) * 8;
  }
  const path = join(directory, 'descriptors');
  writeFileSync(path, new Uint8Array(words.buffer));
  truncateSync(path, alignUp(depth * IO_DESC_BYTES, 4096));
  return { mainPath, descriptorsFd: openSync(path, 'r') };
}

/** A set without remaps on a disk that does nothing. */
function makeDevice(
  reactor: UringReactor,
  mainPath: string,
  ring: NopRing,
  memory: IoMemory,
): RemappedDevice {
  const disks = new DeviceOnMemory({ mainBytes: MAIN_BYTES, spareBytes: [4 << 20] });
  disks.format();
  const set = disks.assemble();
  const opened = openDevice(mainPath, { readOnly: false, exclusive: true });
  assert(set.ok && opened.ok, 'there is a set');
  const main = new UringStore(opened.value, memory, ring, TICKET_COUNT);
  const device = new RemappedDevice({
    ...set.value,
    stores: [main, disks.disks[1]!],
    scheduler: reactor,
    memory,
    coldMemory: layOutColdMemory(),
    lostReadsAsZero: false,
    onGone: { holdMs: 0 },
    findReturned: undefined,
    report: () => {},
    wantPoll: () => reactor.kick(),
  });
  main.attach(device);
  return device;
}

/** linux/io_uring.h (6.10): the completion's result is the length. */
const NOP_INJECT_RESULT = 1;
const MAX_IO_BYTES = 512 << 10;
/** Offsets are past 2^31 bytes, as on any disk of today: such numbers are the dear ones. */
const MAIN_BYTES = 3.5 * 2 ** 30;
const FIRST_BYTES = 2 ** 31;
