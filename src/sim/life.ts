import { type AssembledSet, type AssemblyFailure, assembleSet } from '../device/assemble-set.js';
import type { DeviceEvent } from '../device/device-event.js';
import { EffectRunner } from '../device/effect-runner.js';
import { COLD_TICKET_COUNT, FIRST_COLD_TICKET } from '../device/limits.js';
import { markClosed } from '../device/mark-closed.js';
import { markOpened } from '../device/mark-opened.js';
import { QueueDevice, viewShare } from '../device/queue-device.js';
import type { QueueLink } from '../device/queue-link.js';
import { READ_ONLY_SERVICES } from '../device/read-only-services.js';
import { RemappedDevice } from '../device/remapped-device.js';
import type { ServedDevice } from '../ports/served-device.js';
import { Actor } from './actor.js';
import type { DiskFront } from './disk-front.js';
import type { Machine } from './machine.js';
import { coldMemory, ioMemory } from './machine-memory.js';
import { Poller } from './poller.js';
import { Surroundings } from './surroundings.js';

/** One process with the device, from its start to its end. The same steps as src/runtime takes. */
export class Life {
  state: LifeState = { kind: 'starting' };
  device: RemappedDevice | undefined;
  readonly surroundings: Surroundings;
  scrubsUnderWay = 0;
  readonly #machine: Machine;
  readonly #owner: Actor;
  readonly #tell: (event: DeviceEvent) => void;
  /** By target. */
  readonly #fronts: readonly DiskFront[];
  readonly #queues: OpenQueue[] = [];

  constructor(machine: Machine, force: boolean, tell: (event: DeviceEvent) => void) {
    this.#machine = machine;
    this.#tell = tell;
    this.#owner = new Actor(machine.clock);
    this.surroundings = new Surroundings(this.#owner);
    this.#fronts = machine.disks.map((disk) => disk.open(this.#owner));
    const runner = new EffectRunner({
      stores: this.#fronts,
      scheduler: this.#owner.scheduler,
      firstTicket: FIRST_COLD_TICKET,
      ticketCount: COLD_TICKET_COUNT,
      services: READ_ONLY_SERVICES,
    });
    this.#owner.sink = runner;
    runner.start(assembleSet({ ...machine.assembleInput(machine.disks), force }), (set) => {
      if (set.ok) this.#open(set.value);
      else this.state = { kind: 'refused', failure: set.error };
    });
  }

  /** All that requests can be given to just now, each with its thread. */
  served(): readonly { readonly device: ServedDevice; readonly actor: Actor }[] {
    const { device } = this;
    if (device === undefined) return [];
    const all = [{ device: device as ServedDevice, actor: this.#owner }];
    for (const { queue, actor } of this.#queues) all.push({ device: queue, actor });
    return all.filter(({ actor }) => !actor.isAtWork);
  }

  /** What this process opened the disk as. */
  frontsOf(target: number): readonly DiskFront[] {
    return [this.#fronts[target]!, ...this.#queues.map(({ fronts }) => fronts[target]!)];
  }

  /** A disk is there under another name, and this process has not taken it. */
  get isCutOff(): boolean {
    return this.#fronts.some((front) => front.isCutOff);
  }

  scrub(): void {
    this.scrubsUnderWay += 1;
    this.#owner.run(() =>
      this.device!.scrubMetadata(() => {
        this.scrubsUnderWay -= 1;
      }),
    );
  }

  /** No request is in hand. Begins a clean stop. */
  stop(): void {
    const device = this.device!;
    device.endHolding();
    this.state = { kind: 'stopping' };
    this.#stopWhenIdle(device);
  }

  end(): void {
    this.#owner.kill();
    for (const { actor } of this.#queues) actor.kill();
  }

  #stopWhenIdle(device: RemappedDevice): void {
    if (!device.isIdle) return this.#owner.scheduler.after(10, () => this.#stopWhenIdle(device));
    for (const { link } of this.#queues) device.removeQueue(link);
    device.metadata.run(markClosed, (result) => {
      this.state = { kind: 'stopped', isClean: result >= 0 };
    });
  }

  #open(set: AssembledSet): void {
    const { scenario, clock, random } = this.#machine;
    const device: RemappedDevice = new RemappedDevice({
      ...set,
      stores: this.#fronts,
      scheduler: this.#owner.scheduler,
      memory: ioMemory,
      coldMemory,
      lostReadsAsZero: scenario.lostReadsAsZero,
      onGone: { holdMs: scenario.holdMs },
      findReturned: this.surroundings.find,
      report: (event) => this.#tell(event),
      wantPoll: () => poller.want(),
    });
    const poller = new Poller(this.#owner, clock, random, () => device.poll());
    this.device = device;
    this.#owner.sink = device;
    device.metadata.run(
      (work) => markOpened(work, set),
      (result) => {
        if (result < 0) {
          this.state = { kind: 'unwritable' };
          return;
        }
        device.rememberContent();
        for (let index = 0; index < scenario.queueCount; index += 1) this.#addQueue(device, poller);
        this.state = { kind: 'open' };
      },
    );
  }

  #addQueue(device: RemappedDevice, ownerPoller: Poller): void {
    const { clock, random, disks } = this.#machine;
    const actor = new Actor(clock);
    const link = device.addQueue(() => poller.want());
    const fronts = disks.map((disk) => disk.open(actor));
    const view = viewShare(device.share, link.memory.shared);
    const queue: QueueDevice = new QueueDevice({
      ...view,
      stores: fronts,
      wantPoll: () => poller.want(),
      wakeOwner: () => ownerPoller.want(),
    });
    const poller = new Poller(actor, clock, random, () => queue.poll());
    actor.sink = queue;
    this.#queues.push({ queue, link, actor, fronts });
  }
}

export type LifeState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'refused'; readonly failure: AssemblyFailure }
  /** Its first writes of metadata failed. */
  | { readonly kind: 'unwritable' }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'stopped'; readonly isClean: boolean };

interface OpenQueue {
  readonly queue: QueueDevice;
  readonly link: QueueLink;
  readonly actor: Actor;
  /** By target. */
  readonly fronts: readonly DiskFront[];
}
