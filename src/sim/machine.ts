import { assert } from '../base/assert.js';
import type { Result } from '../base/result.js';
import { type AssembledSet, type AssemblyFailure, assembleSet } from '../device/assemble-set.js';
import type { DeviceEvent } from '../device/device-event.js';
import { EffectRunner } from '../device/effect-runner.js';
import { formatOver } from '../device/format-set.js';
import { COLD_TICKET_COUNT, FIRST_COLD_TICKET } from '../device/limits.js';
import { scanAnchors } from '../device/wipe-anchors.js';
import type { Procedure } from '../engine/effect.js';
import type { CompletionSink, DeviceIdentity } from '../ports/block-store.js';
import { Actor } from './actor.js';
import { blankSet, identityOf } from './blank-set.js';
import { BlockDevice } from './block-device/block-device.js';
import { CheckFailure } from './check-failure.js';
import type { HiddenBlocks } from './hidden-write.js';
import { Life } from './life.js';
import { coldMemory, diskBytes, inspectOffset, ioMemory } from './machine-memory.js';
import type { SetOnDisk } from './metadata-reader.js';
import { copyAt, readMetadata } from './metadata-reader.js';
import type { Random } from './random.js';
import { leaveRemains } from './remains.js';
import type { Scenario } from './scenario.js';
import type { SimClock } from './sim-clock.js';
import { SimDisk } from './sim-disk.js';
import type { DiskWatcher, SimDiskOptions } from './sim-disk-options.js';

/** The disks and the clock of one run, and the process that works on them, which comes and goes. */
export class Machine {
  readonly clock: SimClock;
  readonly scenario: Scenario;
  readonly random: Random;
  readonly #watcher: DiskWatcher;
  /** Main device first, then the spares of the set, then those that are none just now, a bystander last. */
  disks: readonly SimDisk[];
  #spareCount: number;
  /** By spare: the copy that no fault of the run touches (docs/fault-model.md). */
  safeCopies: readonly number[];
  life: Life | undefined;
  /** Where clients have one, and do not talk to the process itself. */
  readonly blockDevice: BlockDevice | undefined;
  /** Blocks of spares that can't be read or written until the next crash. */
  hidden: readonly HiddenBlocks[] = [];
  /** As it was right after formatting, or after the last change of the spares: sizes and places don't change. */
  layout: SetOnDisk['superblock'] | undefined;

  constructor(scenario: Scenario, random: Random, clock: SimClock, watcher: DiskWatcher) {
    this.clock = clock;
    this.scenario = scenario;
    this.random = random;
    this.#watcher = watcher;
    const { mainBytes, spareBytes, reserveBytes, replacementBytes } = scenario;
    this.#spareCount = spareBytes.length;
    this.safeCopies = scenario.safeCopies;
    if (scenario.hasBlockDevice) this.blockDevice = new BlockDevice(clock, random, 1 + scenario.queueCount);
    const further = replacementBytes === undefined ? [] : [replacementBytes];
    this.disks = [mainBytes, ...spareBytes, ...reserveBytes, ...further].map((sizeBytes, id) =>
      this.makeDisk({ id, target: id }, diskBytes(id, sizeBytes), identityOf(scenario, id)),
    );
    if (replacementBytes !== undefined) this.disks.at(-1)!.isBystander = true;
  }

  /** One that is none of the machine's, or is to be; of the kind, and in the place, of `like`. */
  makeDisk(
    { id, target }: Pick<SimDisk, 'id' | 'target'>,
    bytes: Pick<SimDiskOptions, 'contents' | 'stable'>,
    identity: DeviceIdentity,
  ): SimDisk {
    const { scenario, clock, random } = this;
    const { blockBytes, canZero, hasNativeFua, hasPageCache, latencyUs, stragglerOdds } = scenario;
    return new SimDisk({
      ...{ id, target, clock, random, identity, saysIo: scenario.goneSaysIo },
      ...{ blockBytes, canZero, hasNativeFua, hasPageCache, latencyUs, stragglerOdds },
      ...bytes,
      sizeBytes: bytes.contents.length,
      hasVolatileCache: scenario.volatileCaches[id]!,
      memory: ioMemory,
      watcher: this.#watcher,
      tearsInside: (onTarget, offsetBytes) => this.#isMetadata(onTarget, offsetBytes),
    });
  }

  /** False where the sizes make no set. */
  format(): boolean {
    const superblock = blankSet(this.scenario);
    if (superblock === undefined) return false;
    if (this.scenario.hasRemains) leaveRemains(superblock, this.spareBytes);
    // Nothing is at stake while the spares are looked at: the dice of the run are not used up for it.
    const { recoveryOffset } = coldMemory;
    const dice = this.random.state;
    const anchors = this.#runAlone(scanAnchors({ superblock, memory: ioMemory, readOffset: recoveryOffset }));
    this.random.state = dice;
    const errno = this.#runAlone(formatOver(anchors, superblock, ioMemory, recoveryOffset));
    assert(errno === 0, 'formatting works');
    const found = readMetadata(this.spareBytes);
    if (found === undefined) throw new CheckFailure('structure', 'no superblock after formatting');
    this.layout = found.superblock;
    return true;
  }

  /** Those of the set, in its order. */
  get spares(): readonly SimDisk[] {
    return this.disks.slice(1, 1 + this.#spareCount);
  }

  /** Main device and spares. */
  get setDisks(): readonly SimDisk[] {
    return this.disks.slice(0, 1 + this.#spareCount);
  }

  get spareBytes(): readonly Uint8Array[] {
    return this.spares.map((disk) => disk.contents);
  }

  /** From now on these are the spares. No process is at work. */
  setSpares(spares: readonly SimDisk[]): void {
    const others = this.disks.slice(1).filter((disk) => !spares.includes(disk));
    this.#spareCount = spares.length;
    this.#arrange([this.disks[0]!, ...spares, ...others]);
  }

  /** Undefined: the scenario has none. */
  get bystander(): SimDisk | undefined {
    const last = this.disks.at(-1)!;
    return last.isBystander ? last : undefined;
  }

  /** The bystander is the main device from now on, and that is the bystander. No process is at work. */
  exchangeMain(): void {
    const [main, ...others] = this.disks;
    const next = this.bystander!;
    next.isBystander = false;
    main!.isBystander = true;
    this.#arrange([next, ...others.slice(0, -1), main!]);
  }

  /** As steps name it. Undefined: there is none of that number just now. */
  diskAt(target: number): SimDisk | undefined {
    return target === BYSTANDER ? this.bystander : this.disks[target];
  }

  /** What clients can send requests to just now. */
  served(): ReturnType<Life['served']> {
    return this.blockDevice?.served() ?? this.life!.served();
  }

  /** Begins to start the process; `Life.state` tells how far it is. */
  start(force: boolean, tell: (event: DeviceEvent) => void): Life {
    this.life = new Life(this, force, tell);
    return this.life;
  }

  /** What `dmremap inspect` reads, with the process at work or not. */
  inspect(): Result<AssembledSet, AssemblyFailure> {
    return this.#runAlone(
      assembleSet({
        ...this.assembleInput(this.setDisks),
        ...{ main: undefined, force: true, bufferOffset: inspectOffset },
      }),
    );
  }

  /** Would a set of these disks be started? Nothing is written. */
  assemble(disks: readonly SimDisk[]): Result<AssembledSet, AssemblyFailure> {
    return this.#runAlone(assembleSet({ ...this.assembleInput(disks), force: false }), disks);
  }

  assembleInput(disks: readonly SimDisk[]): Omit<Parameters<typeof assembleSet>[0], 'force'> {
    const [main, ...spares] = disks;
    const inAnyOrder = this.random.chance(1, 2) ? spares : spares.toReversed();
    return {
      main: main!.geometry,
      devices: inAnyOrder.map(({ target, geometry }) => ({
        target,
        sizeBytes: geometry.sizeBytes,
        logicalBlockBytes: geometry.logicalBlockBytes,
      })),
      memory: ioMemory,
      bufferOffset: coldMemory.recoveryOffset,
    };
  }

  /** The process is gone, with what it had in flight half done. */
  kill(): void {
    this.blockDevice?.kill();
    this.#end();
    for (const disk of this.disks) disk.abandonInFlight();
  }

  /** The process has ended in order: nothing is in flight. */
  leave(): void {
    this.blockDevice?.release();
    this.kill();
  }

  powerCut(): void {
    this.blockDevice?.forget();
    this.#end();
    for (const disk of this.disks) disk.powerCut();
  }

  #arrange(disks: readonly SimDisk[]): void {
    this.disks = disks;
    for (const [target, disk] of disks.entries()) disk.target = target;
  }

  #end(): void {
    this.life?.end();
    this.life = undefined;
    this.clock.clear();
  }

  #isMetadata(target: number, offsetBytes: number): boolean {
    if (target === 0 || this.layout === undefined) return false;
    return copyAt(this.layout, target - 1, offsetBytes) !== -1;
  }

  /** A command while no process is at work; undefined if it has not come to its end within so many events. */
  runOffline<Value>(procedure: Procedure<Value>, eventsMax?: number): { readonly value: Value } | undefined {
    return this.#runFor(eventsMax ?? Number.POSITIVE_INFINITY, procedure, this.disks);
  }

  /** Nothing else is at work on these disks, or only reads. */
  #runAlone<Value>(procedure: Procedure<Value>, disks: readonly SimDisk[] = this.disks): Value {
    return this.#runFor(Number.POSITIVE_INFINITY, procedure, disks)!.value;
  }

  #runFor<Value>(
    eventsMax: number,
    procedure: Procedure<Value>,
    disks: readonly SimDisk[],
  ): { readonly value: Value } | undefined {
    const actor = new Actor(this.clock);
    const runner = soleRunner(disks, this.clock, actor);
    actor.sink = runner;
    let outcome: { readonly value: Value } | undefined;
    runner.start(procedure, (value) => {
      outcome = { value };
    });
    for (let events = 0; outcome === undefined && events < eventsMax; events += 1) {
      if (!this.clock.fireNext()) throw new CheckFailure('hangs', 'a procedure waits for nothing');
    }
    return outcome;
  }
}

/** Of a step that is about the disk that is none of the set's. */
export const BYSTANDER = -1;

/** For a process that has no device yet. */
function soleRunner(disks: readonly SimDisk[], clock: SimClock, sink: CompletionSink): EffectRunner {
  const refuse = (): never => assert(false, 'no device is at work') as never;
  return new EffectRunner({
    stores: disks.map((disk) => disk.open(sink)),
    scheduler: clock,
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
}
