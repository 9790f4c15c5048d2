import { ERRNO } from '../base/errno.js';
import { type AssembledSet, type AssemblyFailure, assembleSet } from '../device/assemble-set.js';
import type { DeviceEvent } from '../device/device-event.js';
import type { DeviceParts } from '../device/device-parts.js';
import { EffectRunner } from '../device/effect-runner.js';
import { COLD_TICKET_COUNT, FIRST_COLD_TICKET } from '../device/limits.js';
import { markClosed } from '../device/mark-closed.js';
import { markOpened } from '../device/mark-opened.js';
import { READ_ONLY_SERVICES } from '../device/read-only-services.js';
import { RemappedDevice } from '../device/remapped-device.js';
import { gonePolicyOf } from '../device/settings-at-work.js';
import { SettingsKeeper } from '../device/settings-keeper.js';
import type { ServedDevice } from '../ports/served-device.js';
import { readKeptSettings } from '../settings/kept-settings.js';
import type { SettingChanges } from '../settings/setting-changes.js';
import { settingsInForce } from '../settings/settings-in-force.js';
import { Actor } from './actor.js';
import { check } from './check-failure.js';
import type { DiskFront } from './disk-front.js';
import { LifeReplacement } from './life-replacement.js';
import { LifeThreads } from './life-threads.js';
import type { Machine } from './machine.js';
import { coldMemory, ioMemory } from './machine-memory.js';
import { Surroundings } from './surroundings.js';

/** One process with the device, from its start to its end. The same steps as src/runtime takes. */
export class Life {
  state: LifeState = { kind: 'starting' };
  device: RemappedDevice | undefined;
  replacement: LifeReplacement | undefined;
  /** Where the set keeps them. */
  settings: SettingsKeeper | undefined;
  readonly surroundings: Surroundings;
  scrubsUnderWay = 0;
  readonly #machine: Machine;
  readonly #owner: Actor;
  readonly #tell: (event: DeviceEvent) => void;
  /** By target. */
  readonly #fronts: readonly DiskFront[];
  readonly #threads: LifeThreads;

  constructor(machine: Machine, force: boolean, tell: (event: DeviceEvent) => void) {
    this.#machine = machine;
    this.#tell = tell;
    this.#owner = new Actor(machine.clock);
    this.#threads = new LifeThreads(machine, this.#owner);
    this.surroundings = new Surroundings(this.#owner);
    this.#fronts = machine.setDisks.map((disk) => disk.open(this.#owner));
    const runner = new EffectRunner({
      stores: this.#fronts,
      scheduler: this.#owner.scheduler,
      firstTicket: FIRST_COLD_TICKET,
      ticketCount: COLD_TICKET_COUNT,
      services: READ_ONLY_SERVICES,
    });
    this.#owner.sink = runner;
    runner.start(assembleSet({ ...machine.assembleInput(machine.setDisks), force }), (set) => {
      if (set.ok) this.#open(set.value);
      else this.state = { kind: 'refused', failure: set.error };
    });
  }

  /** All that requests can be given to just now, each with its thread. */
  served(): ReturnType<LifeThreads['given']> {
    return this.device === undefined ? [] : this.#threads.given(this.device);
  }

  /** What serves clients, a thread each. */
  get devices(): readonly Pick<ServedDevice, 'describeRun'>[] {
    return [this.device!, ...this.#threads.queueDevices];
  }

  /** What this process opened the disk as. */
  frontsOf(target: number): readonly DiskFront[] {
    return [this.#fronts[target]!, ...this.#threads.frontsOf(target)];
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

  /** `done` gets 0 or an errno; a stop may come before that. `place`: a spare unit, -1 for any. */
  byHand(action: 'add' | 'release', mainUnit: number, place: number, done: (errno: number) => void): void {
    const { byHand } = this.device!;
    const judge = this.#unlessStopped(done);
    this.#owner.run(() =>
      action === 'add' ? byHand.move(mainUnit, place, judge) : byHand.giveBack(mainUnit, judge),
    );
  }

  /** `done` gets 0 or an errno; a stop may come before that. */
  moveAway(mainUnit: number, spareIndex: number, acceptsLoss: boolean, done: (errno: number) => void): void {
    const judge = this.#unlessStopped(done);
    this.#owner.run(() => this.device!.byHand.moveAway(mainUnit, spareIndex, acceptsLoss, judge));
  }

  /** `done` gets 0 or an errno; a stop may come before that. */
  shift(mainUnit: number, toUnit: number, done: (errno: number) => void): void {
    const judge = this.#unlessStopped(done);
    this.#owner.run(() => this.device!.byHand.moveOnSpares(mainUnit, toUnit, judge));
  }

  #unlessStopped(done: (errno: number) => void): (errno: number) => void {
    return (errno) => {
      if (errno !== ERRNO.ECANCELED) return done(errno);
      check(this.state.kind === 'stopping', 'byHand', 'work by hand is ended, and the device is not');
    };
  }

  setLeaving(spareIndex: number, isLeaving: boolean): void {
    this.device!.context.suspension.setLeaving(spareIndex, isLeaving);
  }

  /** `done` hears whether they are kept, and in force. */
  changeSettings(changes: SettingChanges, done: (isKept: boolean) => void): void {
    this.#owner.run(() => this.settings!.change(changes, (changed) => done(changed !== undefined)));
  }

  suspend(done: (isSuspended: boolean) => void): void {
    this.#owner.run(() => this.device!.suspension.begin(done));
  }

  resume(): void {
    this.#owner.run(() => this.device?.suspension.end());
  }

  /** No request is in hand. Begins a clean stop. */
  stop(): void {
    const device = this.device!;
    this.#close(() => this.#threads.removeQueues(device));
  }

  get hasUntoldFailure(): boolean {
    return this.#threads.hasUntoldFailure(this.device!);
  }

  /** It is closed: the next process is told what its clients have not been. */
  leaveToNext(): void {
    this.#threads.leaveToNext(this.device!);
  }

  /** Begins to leave the block device to the next process (SIGUSR2), with requests in hand and more to come. */
  handOver(): void {
    this.resume();
    this.state = { kind: 'stopping' };
    this.#owner.run(() => this.device!.byHand.end());
    this.#threads.release(() => this.#close(() => {}));
  }

  end(): void {
    this.#threads.kill();
  }

  /** `whenIdle`: what else is to be done when nothing is in hand. */
  #close(whenIdle: () => void): void {
    const device = this.device!;
    this.state = { kind: 'stopping' };
    device.endHolding();
    this.#whenIdle(device, () => {
      whenIdle();
      this.replacement!.seal(() =>
        device.metadata.run(markClosed, (result) => {
          this.state = { kind: 'stopped', isClean: result >= 0 };
        }),
      );
    });
  }

  #whenIdle(device: RemappedDevice, task: () => void): void {
    if (device.isIdle) return task();
    this.#owner.scheduler.after(10, () => this.#whenIdle(device, task));
  }

  #open(set: AssembledSet): void {
    const { scenario } = this.#machine;
    const device: RemappedDevice = new RemappedDevice({
      ...set,
      stores: this.#fronts,
      scheduler: this.#owner.scheduler,
      memory: ioMemory,
      coldMemory,
      ...this.#policiesOf(set),
      settlePeriodMs: scenario.settlePeriodMs,
      findReturned: this.surroundings.find,
      report: (event) => this.#tell(event),
      wantPoll: () => poller.want(),
    });
    const poller = this.#threads.pollerFor(device);
    this.device = device;
    this.replacement = new LifeReplacement(this.#owner, device);
    this.#owner.sink = device;
    device.metadata.run(
      (work) => markOpened(work, set),
      (result) => {
        if (result < 0) {
          this.state = { kind: 'unwritable' };
          return;
        }
        device.rememberContent();
        if (scenario.keptSettings !== undefined) this.settings = new SettingsKeeper(device, {});
        this.#threads.openQueues(device, poller);
        this.state = { kind: 'open' };
      },
    );
  }

  /** Those that a device needs before its settings are put in force. */
  #policiesOf({ choice }: AssembledSet): Pick<DeviceParts, 'lostReadsAsZero' | 'onGone'> {
    const { keptSettings, lostReadsAsZero, holdMs } = this.#machine.scenario;
    if (keptSettings === undefined) return { lostReadsAsZero, onGone: { holdMs } };
    const { on_lost, on_gone } = settingsInForce(readKeptSettings(choice.superblock).values, {});
    return { lostReadsAsZero: on_lost !== 0, onGone: gonePolicyOf(on_gone) };
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
