import { QueueDevice, viewShare } from '../device/queue-device.js';
import type { QueueLink } from '../device/queue-link.js';
import type { RemappedDevice } from '../device/remapped-device.js';
import { FAILED_EARLIER, hasUntold } from '../frontends/ublk/flush-failures.js';
import { Actor } from './actor.js';
import { ServedQueue } from './block-device/served-queue.js';
import type { ClientDevice } from './client.js';
import type { DiskFront } from './disk-front.js';
import type { Machine } from './machine.js';
import { Poller } from './poller.js';

/** The threads of one process: the device's own, and one for each further queue; each may serve a block device. */
export class LifeThreads {
  readonly #machine: Machine;
  readonly #owner: Actor;
  readonly #queues: OpenQueue[] = [];
  /** Of the block device, the owner's first. */
  readonly #served: ServedQueue[] = [];
  readonly #flushFailuresTold = new Int32Array(new SharedArrayBuffer(4));

  constructor(machine: Machine, owner: Actor) {
    this.#machine = machine;
    this.#owner = owner;
  }

  /** The device's own thread. */
  pollerFor(device: RemappedDevice): Poller {
    return this.#poller(this.#owner, 0, () => device.poll());
  }

  openQueues(device: RemappedDevice, ownerPoller: Poller): void {
    const { scenario, blockDevice } = this.#machine;
    const pollers = [ownerPoller];
    for (let index = 0; index < scenario.queueCount; index += 1)
      pollers.push(this.#addQueue(device, ownerPoller));
    if (blockDevice === undefined) return;
    if (blockDevice.hasUntoldFailure) this.#flushFailuresTold[0] = FAILED_EARLIER;
    blockDevice.hasUntoldFailure = false;
    const flushFailuresTold = this.#flushFailuresTold;
    const all = [
      { device, actor: this.#owner },
      ...this.#queues.map(({ queue, actor }) => ({ device: queue, actor })),
    ];
    for (const [nth, { device, actor }] of all.entries()) {
      const driver = blockDevice.queues[nth]!;
      const kick = (): void => pollers[nth]!.want();
      this.#served.push(new ServedQueue({ device, actor, driver, nth, flushFailuresTold, kick }));
    }
  }

  /** All that requests can be given to just now, each with its thread. */
  given(device: RemappedDevice): readonly { readonly device: ClientDevice; readonly actor: Actor }[] {
    const all = [{ device: device as ClientDevice, actor: this.#owner }];
    for (const { queue, actor } of this.#queues) all.push({ device: queue, actor });
    return all.filter(({ actor }) => !actor.isAtWork);
  }

  get queueDevices(): readonly QueueDevice[] {
    return this.#queues.map(({ queue }) => queue);
  }

  frontsOf(target: number): readonly DiskFront[] {
    return this.#queues.map(({ fronts }) => fronts[target]!);
  }

  /** Leaves the block device to another process. The first thread last: it does what the others forward. */
  release(done: () => void): void {
    const [first, ...others] = this.#served;
    let left = others.length;
    const releaseFirst = (): void => first!.release(done);
    if (left === 0) return releaseFirst();
    for (const other of others)
      other.release(() => {
        left -= 1;
        if (left === 0) this.#owner.run(releaseFirst);
      });
  }

  /** After the release, when the device is closed. */
  leaveToNext(device: RemappedDevice): void {
    const { blockDevice } = this.#machine;
    if (blockDevice !== undefined) blockDevice.hasUntoldFailure = this.hasUntoldFailure(device);
  }

  /** Clients of a block device have not been told yet of a failed flush, of this process or of an earlier one. */
  hasUntoldFailure(device: RemappedDevice): boolean {
    return (
      this.#machine.blockDevice !== undefined && hasUntold(this.#flushFailuresTold, device.flushFailureCount)
    );
  }

  /** Their threads end. */
  removeQueues(device: RemappedDevice): void {
    for (const { link } of this.#queues) device.removeQueue(link);
  }

  kill(): void {
    this.#owner.kill();
    for (const { actor } of this.#queues) actor.kill();
  }

  #addQueue(device: RemappedDevice, ownerPoller: Poller): Poller {
    const { clock, setDisks } = this.#machine;
    const actor = new Actor(clock);
    const link = device.addQueue(() => poller.want());
    const fronts = setDisks.map((disk) => disk.open(actor));
    const view = viewShare(device.share, link.memory.shared);
    const queue: QueueDevice = new QueueDevice({
      ...view,
      stores: fronts,
      wantPoll: () => poller.want(),
      wakeOwner: () => ownerPoller.want(),
    });
    const poller = this.#poller(actor, this.#queues.length + 1, () => queue.poll());
    actor.sink = queue;
    this.#queues.push({ queue, link, actor, fronts });
    return poller;
  }

  /** `nth`: the queue of the block device that the thread serves, if there is one. */
  #poller(actor: Actor, nth: number, poll: () => boolean): Poller {
    const { clock, random } = this.#machine;
    const pollBoth = (): boolean => {
      const hasMore = poll();
      return this.#served[nth]?.poll() === true || hasMore;
    };
    return new Poller(actor, clock, random, pollBoth);
  }
}

interface OpenQueue {
  readonly queue: QueueDevice;
  readonly link: QueueLink;
  readonly actor: Actor;
  /** By target. */
  readonly fronts: readonly DiskFront[];
}
