import { beforeEach, describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { type Geometry, NO_IDENTITY, PLAIN_QUEUE } from '../ports/block-store.js';
import { plainMemory, REQUEST_BUFFER_BASE, REQUEST_BUFFER_BYTES } from '../ports/io-memory.js';
import type { CompletionHandler } from './io-uring.js';
import type { DeviceKind } from './open-device.js';
import { OP } from './uring-abi.js';
import { type RingQueue, UringStore } from './uring-store.js';

const geometry: Geometry = {
  sizeBytes: 2 ** 43,
  logicalBlockBytes: 512,
  physicalBlockBytes: 4096,
  memoryAlignmentBytes: 4,
  rotational: true,
  readOnly: false,
  queue: PLAIN_QUEUE,
  identity: NO_IDENTITY,
};
const FD = 77;
const KIND = 5;
const ADDRESS = 0x7f12_3456_7000;
const FAR = 2 ** 42;

describe('what UringStore queues', () => {
  let submissions: number[][] = [];
  let completions: number[][] = [];
  let handler: CompletionHandler | null = null;

  beforeEach(() => {
    submissions = [];
    completions = [];
  });

  const ring: RingQueue = {
    registerHandler: (registered) => {
      handler = registered;
      return KIND;
    },
    releaseHandler: () => {},
    submit: (...entry) => {
      submissions.push(entry);
    },
    submitFixed: (...entry) => {
      submissions.push(entry);
    },
    submitCommand: (...command) => {
      submissions.push(command);
    },
  };

  function openStore(kind: DeviceKind): UringStore {
    const device = { fd: FD, path: '/dev/sdx', kind, direct: true, geometry, description: '/dev/sdx' };
    const store = new UringStore(device, { ...plainMemory(65536), address: ADDRESS }, ring, 8);
    store.attach({ complete: (ticket, result) => completions.push([ticket, result]) });
    return store;
  }

  function answer(ticket: number, result: number): void {
    handler!.ringCompletion(ticket, result, 0);
  }

  it('reads and writes, durable ones with RWF_DSYNC', () => {
    const store = openStore('blockDevice');
    store.read(1, FAR, 4096, 8192);
    store.write(2, FAR, 512, 4, false);
    store.write(3, FAR, 512, 4, true);
    expect(submissions).toEqual([
      [KIND, 1, OP.READ, FD, ADDRESS + 8192, 4096, FAR, 0, 0, 0],
      [KIND, 2, OP.WRITE, FD, ADDRESS + 4, 512, FAR, 0, 0, 0],
      [KIND, 3, OP.WRITE, FD, ADDRESS + 4, 512, FAR, 2, 0, 0],
    ]);
  });

  it('goes on behind a short transfer and reports the whole', () => {
    const store = openStore('blockDevice');
    store.write(1, FAR, 4096, 8192, true);
    answer(1, 1024);
    expect(submissions[1]).toEqual([KIND, 1, OP.WRITE, FD, ADDRESS + 9216, 3072, FAR + 1024, 2, 0, 0]);
    expect(completions).toEqual([]);
    answer(1, 3072);
    expect(completions).toEqual([[1, 4096]]);
  });

  it('reads and writes request buffers by their number and a place in them', () => {
    const store = openStore('blockDevice');
    const buffer = REQUEST_BUFFER_BASE + 7 * REQUEST_BUFFER_BYTES;
    store.read(1, FAR, 4096, buffer);
    store.write(2, FAR, 4096, buffer + 8192, true);
    answer(2, 512);
    expect(submissions).toEqual([
      [KIND, 1, OP.READ_FIXED, FD, 0, 4096, FAR, 0, 7],
      [KIND, 2, OP.WRITE_FIXED, FD, 8192, 4096, FAR, 2, 7],
      [KIND, 2, OP.WRITE_FIXED, FD, 8192 + 512, 3584, FAR + 512, 2, 7],
    ]);
  });

  it('repeats what was interrupted, and reports other errors at once', () => {
    const store = openStore('blockDevice');
    store.read(1, 0, 512, 0);
    answer(1, -ERRNO.EAGAIN);
    answer(1, -ERRNO.EINTR);
    expect(submissions[2]).toEqual(submissions[0]);
    answer(1, -ERRNO.ENODATA);
    expect(completions).toEqual([[1, -ERRNO.ENODATA]]);
  });

  it('flushes by fdatasync of the whole device', () => {
    openStore('blockDevice').flush(4);
    expect(submissions).toEqual([[KIND, 4, OP.FSYNC, FD, 0, 0, 0, 1, 0, 0]]);
    answer(4, -ERRNO.EIO);
    expect(completions).toEqual([[4, -ERRNO.EIO]]);
  });

  it('discards on a block device by command, and can not on kernels without it', () => {
    const store = openStore('blockDevice');
    store.discard(1, FAR, 2 ** 40);
    expect(submissions).toEqual([[KIND, 1, FD, 0x1200, FAR, 2 ** 40]]);
    answer(1, -ERRNO.EINVAL);
    expect(completions).toEqual([[1, -ERRNO.EOPNOTSUPP]]);
  });

  it('discards and zeroes by FALLOCATE: length as address, mode as length', () => {
    const device = openStore('blockDevice');
    device.writeZeroes(1, 512, FAR, true);
    device.writeZeroes(2, 512, FAR, false);
    openStore('file').discard(3, 512, FAR);
    expect(submissions).toEqual([
      [KIND, 1, OP.FALLOCATE, FD, FAR, 0x03, 512, 0, 0, 0],
      [KIND, 2, OP.FALLOCATE, FD, FAR, 0x11, 512, 0, 0, 0],
      [KIND, 3, OP.FALLOCATE, FD, FAR, 0x03, 512, 0, 0, 0],
    ]);
  });

  it('does not close while something is in flight', () => {
    const store = openStore('blockDevice');
    store.flush(0);
    expect(() => store.close()).toThrow(/in flight/);
  });
});
