import { FlushFailures } from '../../frontends/ublk/flush-failures.js';
import { UblkQueue } from '../../frontends/ublk/queue.js';
import type { ServedDevice } from '../../ports/served-device.js';
import type { Actor } from '../actor.js';
import { payloadOffset } from '../machine-memory.js';
import { type DriverQueue, QUEUE_DEPTH } from './driver-queue.js';

/** A thread of a process serves a hardware queue. The same steps as `UblkQueueServer` of src/runtime takes. */
export class ServedQueue {
  readonly #queue: UblkQueue;
  readonly #actor: Actor;

  constructor({ device, actor, driver, nth, flushFailuresTold, kick }: ServedQueueParts) {
    this.#actor = actor;
    this.#queue = new UblkQueue({
      device,
      channel: driver.open(actor),
      memoryOffset: payloadOffset + CLIENT_BYTES + nth * QUEUE_DEPTH * MAX_IO_BYTES,
      maxIoBytes: MAX_IO_BYTES,
      flushFailures: new FlushFailures(flushFailuresTold),
      isNeverFlushed: false,
      kick,
    });
    actor.run(() => this.#queue.start(() => {}));
  }

  /** Requests that had to wait for a slot. */
  poll(): boolean {
    return this.#queue.poll();
  }

  /** Leaves it to another process; `done` when what was begun is answered, or is not going to be soon. */
  release(done: () => void): void {
    this.#actor.run(() => this.#queue.release(done));
    this.#actor.scheduler.after(ANSWER_PATIENCE_MS, () => this.#queue.abandon());
  }
}

export interface ServedQueueParts {
  readonly device: ServedDevice;
  /** The thread. */
  readonly actor: Actor;
  readonly driver: DriverQueue;
  /** Of the queues of the block device. */
  readonly nth: number;
  /** One word, shared by all of them. */
  readonly flushFailuresTold: Int32Array;
  readonly kick: () => void;
}

/** As in src/runtime/ublk-queue-server.ts. */
const ANSWER_PATIENCE_MS = 5_000;
/** Of the longest request: 64 blocks of 4096. */
const MAX_IO_BYTES = 256 << 10;
/** What clients have in memory themselves. */
const CLIENT_BYTES = 4 << 20;
