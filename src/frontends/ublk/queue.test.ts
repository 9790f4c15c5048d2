import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../base/errno.js';
import { isRequestBuffer, plainMemory } from '../../ports/io-memory.js';
import { NEEDS_MEMORY } from '../../ports/served-device.js';
import { ArrayDevice } from '../testing/array-device.js';
import { TestLoop } from '../testing/test-loop.js';
import { FlushFailures } from './flush-failures.js';
import { UblkQueue } from './queue.js';
import { UblkFlag, UblkOperation } from './request-description.js';
import { ArrayChannel } from './testing/array-channel.js';

describe('a ublk queue', () => {
  it('reads, writes and answers with the bytes that were done', () => {
    const test = new Setup();
    const written = pattern(4096, 7);
    test.channel.request(0, UblkOperation.write, 16, 8, written);
    test.channel.request(1, UblkOperation.write | UblkFlag.fua, 24, 1, pattern(512, 8));
    test.loop.settle();
    test.channel.request(0, UblkOperation.read, 16, 8);
    test.loop.settle();
    expect(test.device.log).toEqual(['write 8192+4096', 'writeDurable 12288+512', 'read 8192+4096']);
    expect(test.channel.commits.map(({ result }) => result)).toEqual([4096, 512, 4096]);
    expect(test.channel.dataOf(0)).toEqual(written);
  });

  it('makes every write durable where the kernel sends no flushes', () => {
    const test = new Setup({ isNeverFlushed: true });
    test.channel.request(0, UblkOperation.write, 16, 8, pattern(4096, 7));
    test.channel.request(1, UblkOperation.writeZeroes, 24, 8);
    test.loop.settle();
    expect(test.device.log).toEqual(['writeDurable 8192+4096', 'zero3 12288+4096']);
  });

  it('reaches sectors behind 2^32', () => {
    const test = new Setup();
    test.device.failure = (_operation, offsetBytes) => (offsetBytes === 2 ** 32 * 512 ? ERRNO.EIO : 0);
    Object.assign(test.device.geometry, { sizeBytes: 2 ** 42 });
    test.channel.request(0, UblkOperation.read, 2 ** 32, 1);
    test.loop.settle();
    expect(test.channel.commits).toEqual([{ tag: 0, result: -ERRNO.EIO }]);
  });

  it('flushes whatever the sector field says, and passes ranges on with their flags', () => {
    const test = new Setup();
    test.channel.request(0, UblkOperation.flush, 2 ** 53 - 1, 0);
    test.channel.request(1, UblkOperation.discard, 0, 2048);
    test.channel.request(2, UblkOperation.writeZeroes, 8, 8);
    test.loop.settle();
    test.channel.request(0, UblkOperation.writeZeroes | UblkFlag.noUnmap | UblkFlag.fua, 8, 8);
    test.loop.settle();
    expect(test.device.log).toEqual(['flush 0+0', 'discard 0+1048576', 'zero2 4096+4096', 'zero1 4096+4096']);
    expect(test.channel.commits.every(({ result }) => result === 0)).toBe(true);
  });

  it('refuses operations that it never offered', () => {
    const test = new Setup();
    test.channel.request(0, 10, 0, 8);
    test.loop.settle();
    expect(test.channel.commits).toEqual([{ tag: 0, result: -ERRNO.EOPNOTSUPP }]);
    expect(test.device.slotsInUse).toBe(0);
  });

  it('fails the next flush once after a flush failed that no client asked for', () => {
    const test = new Setup();
    const flush = (): number => {
      test.channel.request(0, UblkOperation.flush, 0, 0);
      test.loop.settle();
      return test.channel.commits.at(-1)!.result;
    };
    expect(flush()).toBe(0);
    test.device.flushFailureCount += 1;
    expect(flush()).toBe(-ERRNO.EIO);
    expect(flush()).toBe(0);
  });

  it('fails every flush that was in flight while another one failed', () => {
    const test = new Setup();
    test.device.holding = true;
    test.channel.request(0, UblkOperation.flush, 0, 0);
    test.channel.request(1, UblkOperation.flush, 0, 0);
    test.loop.settle();
    let failing = true;
    test.device.failure = () => {
      const errno = failing ? ERRNO.EIO : 0;
      failing = false;
      return errno;
    };
    test.device.resume();
    test.loop.settle();
    test.channel.request(2, UblkOperation.flush, 0, 0);
    test.loop.settle();
    expect(test.channel.commits).toEqual([
      { tag: 0, result: -ERRNO.EIO },
      { tag: 1, result: -ERRNO.EIO },
      { tag: 2, result: 0 },
    ]);
  });

  it('fails every flush that is under way with the one that tells of a failure of before', () => {
    const test = new Setup();
    test.device.holding = true;
    test.device.flushFailureCount += 1;
    test.channel.request(0, UblkOperation.flush, 0, 0);
    test.channel.request(1, UblkOperation.flush, 0, 0);
    test.loop.settle();
    test.device.resume();
    test.loop.settle();
    test.channel.request(2, UblkOperation.flush, 0, 0);
    test.loop.settle();
    expect(test.channel.commits).toEqual([
      { tag: 0, result: -ERRNO.EIO },
      { tag: 1, result: -ERRNO.EIO },
      { tag: 2, result: 0 },
    ]);
  });

  it('keeps requests waiting while the device has no slot, and loses none', () => {
    const test = new Setup({ slotCount: 2 });
    for (let tag = 0; tag < DEPTH; tag += 1) test.channel.request(tag, UblkOperation.read, tag, 1);
    test.loop.settle();
    expect(test.channel.commits.map(({ tag }) => tag).sort()).toEqual([0, 1, 2, 3]);
  });

  it('ends when every tag was taken back', () => {
    const test = new Setup();
    test.channel.stop();
    test.loop.settle();
    expect(test.ended).toBe(1);
  });

  it('answers what it has begun before it releases the device, and leaves the rest alone', () => {
    const test = new Setup();
    test.device.holding = true;
    test.channel.request(0, UblkOperation.write, 0, 1, pattern(512, 1));
    test.loop.settle();
    let released = 0;
    test.queue.release(() => {
      released += 1;
    });
    test.channel.request(1, UblkOperation.write, 8, 1, pattern(512, 2));
    test.loop.settle();
    expect(released).toBe(0);
    test.device.resume();
    test.loop.settle();
    expect(released).toBe(1);
    expect(test.channel.commits).toEqual([{ tag: 0, result: 512 }]);
    expect(test.device.log).toEqual(['write 0+512']);
  });

  it('answers nothing that it has abandoned, however it ends', () => {
    const test = new Setup({ slotCount: 1 });
    test.device.holding = true;
    test.channel.request(0, UblkOperation.write, 0, 1, pattern(512, 1));
    test.channel.request(1, UblkOperation.write, 8, 1, pattern(512, 2));
    test.loop.settle();
    let released = 0;
    test.queue.release(() => {
      released += 1;
    });
    test.queue.abandon();
    expect(released).toBe(1);
    test.device.failure = () => ERRNO.EIO;
    test.device.resume();
    test.loop.settle();
    test.queue.poll();
    test.loop.settle();
    expect(test.channel.commits).toEqual([]);
    expect(test.device.slotsInUse).toBe(0);
    expect(test.device.log).toEqual(['write 0+512']);
  });
});

describe('a ublk queue with zero copy', () => {
  it('hands request buffers to a device that takes them', () => {
    const test = new Setup({ isZeroCopy: true, takesRequestBuffers: true });
    test.channel.request(3, UblkOperation.read, 0, 8);
    test.channel.request(2, UblkOperation.write, 8, 8, pattern(4096, 1));
    test.loop.settle();
    expect(test.device.places.every(isRequestBuffer)).toBe(true);
    expect(new Set(test.device.places).size).toBe(2);
    expect(test.channel.commits.map(({ result }) => result)).toEqual([4096, 4096]);
  });

  it('goes through memory where the device has to look into the data', () => {
    const test = new Setup({ isZeroCopy: true, takesRequestBuffers: true });
    test.device.requestBufferAnswer = NEEDS_MEMORY;
    const written = pattern(4096, 5);
    test.channel.request(0, UblkOperation.write, 8, 8, written);
    test.loop.settle();
    test.channel.request(1, UblkOperation.read, 8, 8);
    test.loop.settle();
    expect(test.device.data.subarray(4096, 8192)).toEqual(written);
    expect(test.channel.dataOf(1)).toEqual(written);
    expect(test.channel.commits).toEqual([
      { tag: 0, result: 4096 },
      { tag: 1, result: 4096 },
    ]);
  });

  it('goes through memory for devices that take no request buffers, and where the kernel could not register one', () => {
    for (const takesRequestBuffers of [false, true]) {
      const test = new Setup({ isZeroCopy: true, takesRequestBuffers });
      const written = pattern(4096, 9);
      const flag = takesRequestBuffers ? UblkFlag.needsBuffer : 0;
      test.channel.request(0, UblkOperation.write | flag, 8, 8, written);
      test.loop.settle();
      test.channel.request(0, UblkOperation.read | flag, 8, 8);
      test.loop.settle();
      expect(test.channel.dataOf(0)).toEqual(written);
    }
  });

  it('copies nothing out after an error', () => {
    const test = new Setup({ isZeroCopy: true });
    test.device.failure = () => ERRNO.EIO;
    test.channel.request(0, UblkOperation.read, 8, 8);
    test.loop.settle();
    expect(test.channel.commits).toEqual([{ tag: 0, result: -ERRNO.EIO }]);
  });
});

describe('an answer that goes along with the only I/O in hand', () => {
  function along(options: ConstructorParameters<typeof Setup>[0] = {}): Setup {
    const test = new Setup(options);
    test.device.answersAlong = true;
    return test;
  }

  it('is given by the kernel, once, and the tag goes on', () => {
    const test = along();
    const written = pattern(4096, 3);
    test.channel.request(0, UblkOperation.write, 8, 8, written);
    test.loop.settle();
    test.channel.request(0, UblkOperation.read, 8, 8);
    test.loop.settle();
    expect(test.channel.commits.map(({ result }) => result)).toEqual([4096, 4096]);
    expect(test.channel.alongCount).toBe(2);
    expect(test.channel.dataOf(0)).toEqual(written);
    expect(test.device.slotsInUse).toBe(0);
  });

  it('is not tried where other requests are in hand', () => {
    const test = along();
    for (let tag = 0; tag < DEPTH; tag += 1) test.channel.request(tag, UblkOperation.read, tag, 1);
    test.loop.settle();
    expect(test.channel.commits).toHaveLength(DEPTH);
    expect(test.channel.alongCount).toBe(1);
  });

  it.each([
    ['fails for good', ERRNO.EIO, -ERRNO.EIO],
    ['is mended by the device', 0, 4096],
  ])('waits for ours where the I/O failed, and the request %s', (_name, errno, result) => {
    const test = along();
    test.device.ioFailure = () => ERRNO.EIO;
    test.device.failure = () => errno;
    test.channel.request(0, UblkOperation.write, 8, 8, pattern(4096, 3));
    test.loop.settle();
    expect(test.channel.commits).toEqual([{ tag: 0, result }]);
    test.device.ioFailure = () => 0;
    test.device.failure = () => 0;
    test.channel.request(0, UblkOperation.read, 8, 8);
    test.loop.settle();
    expect(test.channel.commits).toEqual([
      { tag: 0, result },
      { tag: 0, result: 4096 },
    ]);
  });

  it('is given by us where the kernel could not, and not tried again', () => {
    const test = along();
    test.channel.refusal = ERRNO.EINVAL;
    for (let round = 1; round <= 2; round += 1) {
      test.channel.request(0, UblkOperation.read, 8, 8);
      test.loop.settle();
      expect(test.channel.commits).toHaveLength(round);
    }
    expect(test.channel.alongCount).toBe(1);
  });

  it('is taken back where the device has to look into the data', () => {
    const test = along({ isZeroCopy: true, takesRequestBuffers: true });
    test.device.requestBufferAnswer = NEEDS_MEMORY;
    const written = pattern(4096, 5);
    test.channel.request(0, UblkOperation.write, 8, 8, written);
    test.loop.settle();
    test.channel.request(0, UblkOperation.read, 8, 8);
    test.loop.settle();
    expect(test.channel.dataOf(0)).toEqual(written);
    expect(test.channel.commits.map(({ result }) => result)).toEqual([4096, 4096]);
  });

  it('tells nobody of a failed flush, though the flush that comes next has the tag already', () => {
    const test = along();
    test.device.flushFailureCount = 1;
    test.channel.onGivenAlong = (tag) => {
      test.channel.onGivenAlong = () => {};
      test.channel.request(tag, UblkOperation.flush, 0, 0);
    };
    test.channel.request(0, UblkOperation.write, 8, 8, pattern(4096, 3));
    test.loop.settle();
    expect(test.channel.commits.map(({ result }) => result)).toEqual([4096, -ERRNO.EIO]);
  });

  it('may be given after the queue was abandoned, and what comes next on the tag is left alone', () => {
    const test = along();
    test.device.holding = true;
    test.channel.request(0, UblkOperation.write, 8, 8, pattern(4096, 3));
    test.loop.settle();
    test.queue.release(() => {});
    test.queue.abandon();
    test.device.resume();
    test.loop.settle();
    test.channel.request(0, UblkOperation.read, 8, 8);
    test.loop.settle();
    expect(test.channel.commits).toEqual([{ tag: 0, result: 4096 }]);
    expect(test.device.log).toEqual(['write 4096+4096']);
  });

  it('counts as given when the queue is released, and when the device stops', () => {
    const test = along();
    test.channel.request(0, UblkOperation.read, 8, 8);
    test.loop.settle();
    let released = 0;
    test.queue.release(() => {
      released += 1;
    });
    expect(released).toBe(1);
    test.channel.stop();
    test.loop.settle();
    expect(test.ended).toBe(1);
  });
});

const DEPTH = 4;
const MAX_IO_BYTES = 64 << 10;

class Setup {
  readonly loop = new TestLoop();
  readonly device: ArrayDevice;
  readonly channel: ArrayChannel;
  readonly queue: UblkQueue;
  ended = 0;

  constructor(options: SetupOptions = {}) {
    const {
      slotCount = 64,
      isZeroCopy = false,
      takesRequestBuffers = false,
      isNeverFlushed = false,
    } = options;
    const memory = plainMemory(DEPTH * MAX_IO_BYTES);
    this.device = new ArrayDevice(memory, this.loop, { takesRequestBuffers }, slotCount);
    this.channel = new ArrayChannel(memory, this.loop, DEPTH, this.device, isZeroCopy);
    this.queue = new UblkQueue({
      device: this.device,
      channel: this.channel,
      memoryOffset: 0,
      maxIoBytes: MAX_IO_BYTES,
      flushFailures: new FlushFailures(new Int32Array(1)),
      isNeverFlushed,
      kick: () => {},
    });
    this.loop.poll = () => void this.queue.poll();
    this.queue.start(() => {
      this.ended += 1;
    });
    this.loop.settle();
  }
}

function pattern(lengthBytes: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: lengthBytes }, (_, index) => (index * 31 + seed) & 0xff);
}

interface SetupOptions {
  readonly slotCount?: number;
  readonly isZeroCopy?: boolean;
  readonly takesRequestBuffers?: boolean;
  readonly isNeverFlushed?: boolean;
}
