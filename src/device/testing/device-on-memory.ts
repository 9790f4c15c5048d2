import { ManualScheduler } from '../../../test/support/manual-scheduler.js';
import { assert } from '../../base/assert.js';
import type { Result } from '../../base/result.js';
import type { Procedure } from '../../engine/effect.js';
import { planLayout } from '../../format/plan-layout.js';
import { SAMPLE_COUNT, type Superblock } from '../../format/superblock.js';
import type { BlockStore, Geometry } from '../../ports/block-store.js';
import { type IoMemory, plainMemory } from '../../ports/io-memory.js';
import { Actor } from '../../sim/actor.js';
import { parseFaultScenario } from '../../storage/fault-scenario.js';
import { FaultStore } from '../../storage/fault-store.js';
import { MemoryStore } from '../../storage/memory-store.js';
import { type AssembledSet, type AssemblyFailure, assembleSet } from '../assemble-set.js';
import type { DeviceEvent } from '../device-event.js';
import { EffectRunner } from '../effect-runner.js';
import { formatSet } from '../format-set.js';
import type { GonePolicy } from '../gone-policy.js';
import { COLD_TICKET_COUNT, FIRST_COLD_TICKET } from '../limits.js';
import { markClosed } from '../mark-closed.js';
import { markOpened } from '../mark-opened.js';
import { layOutColdMemory } from '../memory-map.js';
import type { MetadataWork } from '../metadata-writer.js';
import { offlineWork } from '../offline-work.js';
import { QueueDevice, type QueueDeviceParts, viewShare } from '../queue-device.js';
import type { QueueLink } from '../queue-link.js';
import type { SetDump } from '../read-dump.js';
import type { EmptySet } from '../read-map.js';
import { RemappedDevice } from '../remapped-device.js';
import { replaceMain } from '../replace-main.js';
import type { FindReturned } from '../return-candidate.js';
import { type SetSurvey, surveySet } from '../survey-set.js';
import { writeSetAnew } from '../write-set-anew.js';
import { CrashableStore, Power } from './crashable-store.js';
import { ScriptedStore } from './scripted-store.js';
import { StoreSplitter } from './store-splitter.js';

/**
 * A whole protected device on memory disks and a clock that tests turn: the disks outlive it, so it can be killed and
 * put together again.
 */
export class DeviceOnMemory {
  readonly scheduler = new ManualScheduler();
  readonly memory: IoMemory;
  /** Main device first. Their `contents` are the media. */
  readonly disks: readonly MemoryStore[];
  readonly events: DeviceEvent[] = [];
  /** Where payload memory begins. */
  readonly payloadOffset: number;
  device: RemappedDevice | undefined;
  /** Which disks are named as spares of the set, in its order. */
  readonly spareDisks: number[];
  /** Which disk is named as the main device. */
  mainDisk = 0;
  /** Queues of it, each as if on a thread of its own. */
  queues: OpenQueue[] = [];
  /** How often a queue has woken the owner. */
  ownerWakeCount = 0;
  /** What the device sees of the disks, by target: faults that the test makes up as it goes. */
  readonly stores: readonly ScriptedStore[];
  readonly #crashable: readonly CrashableStore[];
  readonly #power = new Power();
  readonly #coldMemory = layOutColdMemory();
  readonly #splitters: readonly StoreSplitter[];
  readonly #ownFronts: BlockStore[] = [];
  /** The thread of the device, or whoever puts the set together. */
  readonly owner = new Actor(this.scheduler);
  readonly #options: DeviceOnMemoryOptions;

  constructor(options: DeviceOnMemoryOptions) {
    this.#options = options;
    const spareCount = options.spareBytes.length - (options.furtherDiskCount ?? 0);
    this.spareDisks = Array.from({ length: spareCount }, (_, index) => 1 + index);
    this.payloadOffset = this.#coldMemory.endOffset;
    this.memory = plainMemory(this.payloadOffset + PAYLOAD_BYTES);
    const { memory, scheduler } = this;
    const sizes = [options.mainBytes, ...options.spareBytes];
    const readOnly = (disk: number): boolean => disk === 0 && options.mainIsReadOnly === true;
    this.disks = sizes.map(
      (sizeBytes, disk) =>
        new MemoryStore({
          sizeBytes,
          memory,
          scheduler,
          readOnly: readOnly(disk),
          nativeFua: options.nativeFua ?? true,
        }),
    );
    const scenario = parseFaultScenario(options.faults ?? 'main: []', 'test');
    assert(scenario.ok, 'the scenario is right');
    const rules = [scenario.value.main, ...scenario.value.spares];
    const hasCache = options.volatileCaches ?? false;
    this.#crashable = this.disks.map((disk) => new CrashableStore(disk, this.#power, hasCache));
    this.stores = this.#crashable.map((store, index) => {
      const faulty = new FaultStore(store, rules[index] ?? [], { memory, scheduler });
      return new ScriptedStore(faulty, scheduler);
    });
    const isLate = options.lateStores ?? false;
    this.#splitters = this.stores.map((store) => new StoreSplitter(store, scheduler, isLate));
  }

  format(copies = 5): void {
    const spareBytes = this.#options.spareBytes.slice(0, this.spareDisks.length);
    const superblock = blankSuperblock({ ...this.#options, spareBytes }, copies);
    const errno = this.#run(formatSet(superblock, this.memory, this.#coldMemory.recoveryOffset));
    assert(errno === 0, 'formatting works');
  }

  /** Reads the metadata; changes nothing. `main`: what the main device says of itself, if not the truth. */
  assemble({
    force = false,
    main = this.disks[this.mainDisk]!.geometry,
    spareLogicalBlockBytes,
  }: AssembleOptions = {}): Result<AssembledSet, AssemblyFailure> {
    const devices = this.spareDisks.map((disk, index) => ({
      target: 1 + index,
      sizeBytes: this.disks[disk]!.geometry.sizeBytes,
      logicalBlockBytes: spareLogicalBlockBytes ?? this.disks[disk]!.geometry.logicalBlockBytes,
    }));
    const { memory } = this;
    const bufferOffset = this.#coldMemory.recoveryOffset;
    return this.#run(assembleSet({ main, devices, force, memory, bufferOffset }));
  }

  /** Looks at all metadata, as the tools do. */
  survey(): SetSurvey {
    const devices = this.spareDisks.map((disk, index) => ({
      target: 1 + index,
      sizeBytes: this.disks[disk]!.geometry.sizeBytes,
    }));
    const { memory } = this;
    return this.#run(surveySet({ devices, memory, bufferOffset: this.#coldMemory.recoveryOffset }));
  }

  /** Runs what writes metadata while no device is at work; undefined if it did not come to its end. */
  writeOffline<Value>(
    set: EmptySet,
    procedureOf: (work: MetadataWork) => Procedure<Value>,
  ): Value | undefined {
    return this.#runUnlessCut(procedureOf(offlineWork(set, this.memory, this.#coldMemory.commitOffset)));
  }

  /** Makes the spares into those of another set; undefined if that did not come to its end. */
  formatOver(superblock: Superblock): number | undefined {
    return this.#runUnlessCut(formatSet(superblock, this.memory, this.#coldMemory.recoveryOffset));
  }

  /** Writes the metadata of a dump from nothing. */
  writeAnew(dump: SetDump): number | undefined {
    const { recoveryOffset: readOffset, commitOffset: writeOffset } = this.#coldMemory;
    return this.#runUnlessCut(writeSetAnew({ dump, memory: this.memory, readOffset, writeOffset }));
  }

  /** Puts the set together and opens it. */
  open({ lostReadsAsZero = false, force = false }: OpenOptions = {}): RemappedDevice {
    const set = this.assemble({ force });
    assert(set.ok, `assembles: ${JSON.stringify(set)}`);
    const device = new RemappedDevice({
      ...set.value,
      stores: this.#ownStores().slice(0, 1 + this.spareDisks.length),
      scheduler: this.owner.scheduler,
      memory: this.memory,
      coldMemory: this.#coldMemory,
      lostReadsAsZero,
      onGone: this.#options.onGone ?? { holdMs: 0 },
      findReturned: this.#options.findReturned,
      report: (event) => this.events.push(event),
      wantPoll: () => this.#pollSoon(this.owner, device),
    });
    this.device = device;
    this.owner.sink = device;
    let opened: number | undefined;
    device.metadata.run(
      (work) => markOpened(work, set.value),
      (result) => {
        opened = result;
      },
    );
    for (let turns = 0; opened === undefined && turns < 100; turns += 1)
      this.scheduler.advance(turns === 0 ? 0 : 100);
    assert(opened !== undefined && opened >= 0, 'is marked as open');
    return device;
  }

  /** Begins to fill a disk that is to become the main device. */
  evacuateTo(disk: number, copyId: Uint8Array = new Uint8Array(16).fill(9)): void {
    const { device, owner } = this;
    assert(device !== undefined, 'is open');
    const front = this.#splitters[disk]!.front({
      complete: (ticket, result) =>
        owner.run(() => {
          if (this.device === device) device.complete(ticket, result);
        }),
    });
    owner.run(() => device.replacement.begin(front, copyId));
  }

  /** Ends the filling, closes the set, and makes that disk its main device; false: it may not take over. */
  cutOver(disk: number): boolean {
    const { device } = this;
    assert(device !== undefined, 'is open');
    while (!device.isIdle) this.scheduler.advance(1000);
    let isSealed: boolean | undefined;
    this.owner.run(() =>
      device.metadata.run(
        () => device.replacement.seal(),
        (result) => {
          isSealed = result;
        },
      ),
    );
    this.scheduler.advance(60_000);
    // The old disk need not have taken the last flush.
    this.#close();
    return isSealed === true && this.replaceMain(disk, 'withLoss') === 0;
  }

  /** Of a set that is not at work. Undefined: it did not come to its end. */
  replaceMain(disk: number, remaps: 'all' | 'withLoss'): number | undefined {
    const set = this.assemble();
    assert(set.ok, `assembles: ${JSON.stringify(set)}`);
    const before = this.mainDisk;
    this.mainDisk = disk;
    const { geometry } = this.disks[disk]!;
    const errno = this.writeOffline(set.value, (work) => replaceMain(work, geometry, remaps));
    if (errno !== 0) this.mainDisk = before;
    return errno;
  }

  /** One more queue. `adapt` may exchange parts of it. */
  addQueue(adapt: (parts: QueueDeviceParts) => QueueDeviceParts = (parts) => parts): OpenQueue {
    const { device } = this;
    assert(device !== undefined, 'is open');
    const actor = new Actor(this.scheduler);
    const link = device.addQueue(() => this.#pollSoon(actor, queue));
    const wakeOwner = (): void => {
      this.ownerWakeCount += 1;
      this.#pollSoon(this.owner, device);
    };
    const stores = this.#targets().map((disk) => this.#splitters[disk]!.front(actor));
    const wantPoll = (): void => this.#pollSoon(actor, queue);
    const view = viewShare(device.share, link.memory.shared);
    const queue = new QueueDevice(adapt({ ...view, stores, wantPoll, wakeOwner }));
    actor.sink = queue;
    const open = { queue, link, actor };
    this.queues.push(open);
    return open;
  }

  /** All that can be asked to do something now: the device, then its queues. */
  served(): { readonly device: RemappedDevice | QueueDevice; readonly actor: Actor }[] {
    const { device } = this;
    assert(device !== undefined, 'is open');
    const all = [
      { device, actor: this.owner },
      ...this.queues.map(({ queue, actor }) => ({ device: queue, actor })),
    ];
    return all.filter(({ actor }) => !actor.isAtWork);
  }

  /** What the volatile cache of one disk holds is gone, as when the disk loses its power for a moment. */
  loseCache(target: number): void {
    this.#crashable[target]!.dropCache(() => false);
  }

  /** As after kill -9: what was sent to the disks still happens, nothing else does. */
  kill(): void {
    this.#disconnect();
    this.device = undefined;
    this.queues = [];
    this.scheduler.advance(60_000);
    this.#power.restore();
  }

  /**
   * After so many more writes to any disk nothing reaches a disk any more and no answer comes back; `kill` or
   * `powerCut` make an end of it.
   */
  dieAfterWrites(count: number): void {
    this.#power.cutAfterWrites(count, () => this.#disconnect());
  }

  /** As when the power fails: of every sector that no flush has covered, `survives` says whether it got written. */
  powerCut(survives: (target: number, sector: number) => boolean): void {
    this.#disconnect();
    this.#power.cut();
    for (const [target, store] of this.#crashable.entries())
      store.dropCache((sector) => survives(target, sector));
    this.kill();
  }

  close(): void {
    assert(this.#close(), 'closes cleanly');
  }

  /** False: it was not clean. */
  #close(): boolean {
    const { device } = this;
    assert(device !== undefined, 'is open');
    while (!device.isIdle) this.scheduler.advance(1000);
    for (const { link } of this.queues) device.removeQueue(link);
    let closed: number | undefined;
    device.metadata.run(markClosed, (result) => {
      closed = result;
    });
    this.scheduler.advance(60_000);
    this.kill();
    return closed === 0 || Object.is(closed, -0);
  }

  /** By target, the number of the disk: those that are no spares of the set come last. */
  #targets(): number[] {
    const named = [this.mainDisk, ...this.spareDisks];
    return [...named, ...[...this.disks.keys()].filter((disk) => !named.includes(disk))];
  }

  /** By target, what the owner, or whoever puts the set together, does its I/O on. */
  #ownStores(): BlockStore[] {
    return this.#targets().map(
      (disk) => (this.#ownFronts[disk] ??= this.#splitters[disk]!.front(this.owner)),
    );
  }

  #disconnect(): void {
    this.owner.kill();
    for (const { actor } of this.queues) actor.kill();
  }

  #pollSoon(actor: Actor, polled: RemappedDevice | QueueDevice): void {
    actor.scheduler.after(0, () => {
      if (polled.poll()) this.#pollSoon(actor, polled);
    });
  }

  #run<Value>(procedure: Procedure<Value>): Value {
    const outcome = this.#runUnlessCut(procedure);
    assert(outcome !== undefined, 'the procedure ends');
    return outcome;
  }

  #runUnlessCut<Value>(procedure: Procedure<Value>): Value | undefined {
    const refuse = (): never => assert(false, 'no device is at work') as never;
    const runner = new EffectRunner({
      stores: this.#ownStores(),
      scheduler: this.scheduler,
      firstTicket: FIRST_COLD_TICKET,
      ticketCount: COLD_TICKET_COUNT,
      services: {
        lock: refuse,
        tryLock: refuse,
        unlock: refuse,
        commit: refuse,
        unsettle: refuse,
        noteWritten: () => {},
        noteFlushStarted: () => {},
        noteFlushEnded: () => {},
      },
    });
    this.owner.sink = runner;
    let outcome: { readonly value: Value } | undefined;
    runner.start(procedure, (value) => {
      outcome = { value };
    });
    this.scheduler.advance(60_000);
    return outcome?.value;
  }
}

export interface DeviceOnMemoryOptions {
  readonly mainBytes: number;
  readonly spareBytes: readonly number[];
  readonly unitBytes?: number;
  /** So many of the spare disks, the last ones, are not part of the set (yet). */
  readonly furtherDiskCount?: number;
  /** A fault scenario as YAML text. */
  readonly faults?: string;
  /** A power cut takes what was not flushed. */
  readonly volatileCaches?: boolean;
  /** Of all disks; default: true. */
  readonly nativeFua?: boolean;
  /** The main device says that it takes no writes; it takes them all the same. */
  readonly mainIsReadOnly?: boolean;
  /** I/O reaches the disks some time after it was submitted. */
  readonly lateStores?: boolean;
  /** Default: requests fail while a device is gone. */
  readonly onGone?: GonePolicy;
  readonly findReturned?: FindReturned;
}

export interface OpenQueue {
  readonly queue: QueueDevice;
  readonly link: QueueLink;
  readonly actor: Actor;
}

export interface AssembleOptions {
  readonly force?: boolean;
  readonly main?: Geometry;
  /** What the spares say of themselves, if not the truth. */
  readonly spareLogicalBlockBytes?: number;
}

export interface OpenOptions {
  readonly lostReadsAsZero?: boolean;
  readonly force?: boolean;
}

function blankSuperblock(options: DeviceOnMemoryOptions, copyCount: number): Superblock {
  const layout = planLayout({
    mainSizeBytes: options.mainBytes,
    logicalBlockBytes: 512,
    unitBytes: options.unitBytes ?? 4096,
    copyCount,
    spareSizesBytes: options.spareBytes,
  });
  assert(layout.ok, `fits: ${JSON.stringify(layout)}`);
  return {
    ...layout.value,
    features: { compat: 0, roCompat: 0, incompat: 0 },
    cleanShutdown: false,
    pageSequenceSum: 0,
    copyPosition: undefined,
    setId: new Uint8Array(16).fill(7),
    sequence: 1,
    generation: 1,
    logicalBlockBytes: 512,
    openCount: 0,
    mainSizeBytes: options.mainBytes,
    createdSeconds: 1_700_000_000,
    updatedSeconds: 1_700_000_000,
    name: 'test',
    mainModel: '',
    mainSerial: '',
    mainWwn: '',
    mainDeviceBytes: 0,
    mainDeviceBlockBytes: 0,
    contentSample: { validMask: 0, crcs: new Array<number>(SAMPLE_COUNT).fill(0) },
    spares: layout.value.spares.map((spare, index) => ({
      ...spare,
      uuid: new Uint8Array(16).fill(index + 1),
      initialisedPageCount: 0,
    })),
    onLost: 0,
    counters: [],
    settings: [],
  };
}

const PAYLOAD_BYTES = 4 << 20;
