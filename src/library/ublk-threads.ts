import { createWakeUp, type WakeUp } from '../kernel/wake-up.js';
import type { AddedQueue } from '../runtime/messages.js';
import type { UblkQueueJob } from '../runtime/ublk-queue-server.js';
import { ThreadClient } from './thread-client.js';

/** The threads that serve the queues of a ublk device: the device's own serves the first one, each further queue has one. */
export class UblkThreads {
  readonly #owner: ThreadClient;
  readonly #queues: QueueThread[] = [];
  #isServing = false;

  constructor(owner: ThreadClient) {
    this.#owner = owner;
  }

  /** Has every queue ask for its first requests; all jobs but the number of the queue and its memory are the same. */
  async serve(queueCount: number, job: UblkQueueJob): Promise<void> {
    for (let count = 1; count < queueCount; count += 1) this.#queues.push(await this.#addThread());
    const bytesPerQueue = job.depth * job.maxIoBytes;
    this.#isServing = true;
    // All at once: Linux 6.12 does not survive a server that dies when some queues have fetched and others have not.
    await Promise.all(
      this.#clients.map((client, queueIndex) => {
        const memoryOffset = job.memoryOffset + queueIndex * bytesPerQueue;
        return client.call({ verb: 'ublkServe', job: { ...job, queueIndex, memoryOffset } });
      }),
    );
  }

  /** Resolves when the driver has taken every tag of every queue back. */
  async ended(): Promise<void> {
    if (!this.#isServing) return;
    await Promise.all(this.#clients.map((client) => client.call({ verb: 'ublkEnded' })));
  }

  /** Rejects if a thread of a further queue crashed; the first thread's end is the device's. */
  get crashed(): Promise<never> {
    return new Promise((_resolve, reject) => {
      for (const { client } of this.#queues) client.gone.catch(reject);
    });
  }

  get hasLostThread(): boolean {
    return this.#queues.some(({ client }) => client.isGone);
  }

  /** Leaves the block device to another process. The first thread last: it does what the others forward. */
  async release(): Promise<void> {
    await Promise.all(this.#queues.map(({ client }) => client.call({ verb: 'ublkRelease' })));
    await this.#owner.call({ verb: 'ublkRelease' });
  }

  /** When all have ended: ends the threads of the further queues. */
  async close(): Promise<void> {
    for (const { client, queueId, wakeUp } of this.#queues.splice(0)) {
      await client.call({ verb: 'close' });
      await client.gone;
      await this.#owner.call({ verb: 'removeQueue', queueId });
      wakeUp.close();
    }
  }

  get #clients(): readonly ThreadClient[] {
    return [this.#owner, ...this.#queues.map(({ client }) => client)];
  }

  async #addThread(): Promise<QueueThread> {
    const wakeUp = createWakeUp();
    const added = await this.#owner
      .call({ verb: 'addQueue', wakeUpFd: wakeUp.fd })
      .catch((error: unknown) => {
        wakeUp.close();
        throw error;
      });
    const { queueId, share } = added as AddedQueue;
    return { client: await ThreadClient.openQueue(share, wakeUp), queueId, wakeUp };
  }
}

interface QueueThread {
  readonly client: ThreadClient;
  /** As the owner knows it. */
  readonly queueId: number;
  readonly wakeUp: WakeUp;
}
