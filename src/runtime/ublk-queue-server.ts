import { assert } from '../base/assert.js';
import { errnoName } from '../base/errno.js';
import { FlushFailures } from '../frontends/ublk/flush-failures.js';
import { UblkQueue } from '../frontends/ublk/queue.js';
import type { UringReactor } from '../kernel/reactor.js';
import { RingUblkChannel } from '../kernel/ring-ublk-channel.js';
import type { ServedDevice } from '../ports/served-device.js';
import type { Failure } from './failure.js';
import { failure } from './failure.js';
import { touchThreadMemory } from './touch-thread-memory.js';

/** One queue of a ublk device, served by the thread that this is called on. */
export class UblkQueueServer {
  readonly #surroundings: UblkSurroundings;
  #queue: UblkQueue | undefined;
  #channel: RingUblkChannel | undefined;
  readonly #onEnded: (() => void)[] = [];
  #hasEnded = false;

  constructor(surroundings: UblkSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Fetches the queue's first requests. The block device may be started when every queue has done so. */
  start(job: UblkQueueJob): Failure | undefined {
    assert(this.#queue === undefined, 'a thread serves one ublk queue');
    touchThreadMemory();
    const { reactor, device, memoryAddress } = this.#surroundings;
    const channel = RingUblkChannel.open({ ...job, ring: reactor.ring, memoryAddress });
    if (!channel.ok) return failure('system', `ublk queue ${job.queueIndex}: ${errnoName(channel.error)}`);
    this.#channel = channel.value;
    this.#queue = new UblkQueue({
      device,
      channel: channel.value,
      memoryOffset: job.memoryOffset,
      maxIoBytes: job.maxIoBytes,
      flushFailures: new FlushFailures(new Int32Array(job.flushFailuresTold)),
      isNeverFlushed: job.isNeverFlushed,
      kick: () => reactor.kick(),
    });
    reactor.addPoller(this.#queue);
    this.#queue.start(() => this.#end());
    return undefined;
  }

  /**
   * Calls `done` when the driver has taken every tag back: somebody has stopped the block device. At once where none was
   * ever asked for, because the queue could not be started.
   */
  whenEnded(done: () => void): void {
    if (this.isOver) done();
    else this.#onEnded.push(done);
  }

  /**
   * Leaves the block device to another process; `done` when what was begun is answered, or is not going to be soon:
   * then the driver gives it to that process anew.
   */
  release(done: () => void): void {
    const queue = this.#queue;
    assert(queue !== undefined, 'nothing is served');
    queue.release(done);
    this.#surroundings.reactor.after(ANSWER_PATIENCE_MS, () => queue.abandon());
  }

  /** No request can arrive any more, or none ever could. */
  get isOver(): boolean {
    return this.#queue === undefined || this.#hasEnded;
  }

  #end(): void {
    this.#hasEnded = true;
    const { reactor } = this.#surroundings;
    reactor.removePoller(this.#queue!);
    // Later: the last tag's completion is being handled by this very channel.
    reactor.after(0, () => {
      this.#channel!.close();
      for (const done of this.#onEnded.splice(0)) done();
    });
  }
}

/** A request that has not been answered for so long waits for a device that is gone, or hangs. */
const ANSWER_PATIENCE_MS = 5_000;

export interface UblkSurroundings {
  readonly reactor: UringReactor;
  readonly device: ServedDevice;
  /** Of the I/O memory. */
  readonly memoryAddress: number;
}

/** What a thread is told about the queue that it shall serve. */
export interface UblkQueueJob {
  /** /dev/ublkcN, open in this process. */
  readonly charFd: number;
  readonly queueIndex: number;
  readonly depth: number;
  readonly maxIoBytes: number;
  readonly isZeroCopy: boolean;
  /** Where the buffers of its tags are: `depth` times `maxIoBytes`. */
  readonly memoryOffset: number;
  /** One word, shared by all queues of the device. */
  readonly flushFailuresTold: SharedArrayBuffer;
  /** Of `UblkQueueParts`. */
  readonly isNeverFlushed: boolean;
}
