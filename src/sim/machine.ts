import { assert } from '../base/assert.js';
import type { Result } from '../base/result.js';
import { type AssembledSet, type AssemblyFailure, assembleSet } from '../device/assemble-set.js';
import type { DeviceEvent } from '../device/device-event.js';
import { EffectRunner } from '../device/effect-runner.js';
import { formatSet } from '../device/format-set.js';
import { COLD_TICKET_COUNT, FIRST_COLD_TICKET } from '../device/limits.js';
import type { Procedure } from '../engine/effect.js';
import type { CompletionSink, DeviceIdentity } from '../ports/block-store.js';
import { Actor } from './actor.js';
import { blankSet, identityOf } from './blank-set.js';
import { CheckFailure } from './check-failure.js';
import type { HiddenBlocks } from './hidden-write.js';
import { Life } from './life.js';
import { coldMemory, diskBytes, ioMemory } from './machine-memory.js';
import type { SetOnDisk } from './metadata-reader.js';
import { copyAt, readMetadata } from './metadata-reader.js';
import type { Random } from './random.js';
import { leaveRemains } from './remains.js';
import type { Scenario } from './scenario.js';
import type { SimClock } from './sim-clock.js';
import { type DiskWatcher, SimDisk, type SimDiskOptions } from './sim-disk.js';

/** The disks and the clock of one run, and the process that works on them, which comes and goes. */
export class Machine {
  readonly clock: SimClock;
  readonly scenario: Scenario;
  readonly random: Random;
  readonly #watcher: DiskWatcher;
  /** Main device first. */
  readonly disks: readonly SimDisk[];
  life: Life | undefined;
  /** Blocks of spares that can't be read or written until the next crash. */
  hidden: readonly HiddenBlocks[] = [];
  /** As it was right after formatting: sizes and places don't change. */
  layout: SetOnDisk['superblock'] | undefined;

  constructor(scenario: Scenario, random: Random, clock: SimClock, watcher: DiskWatcher) {
    this.clock = clock;
    this.scenario = scenario;
    this.random = random;
    this.#watcher = watcher;
    this.disks = [scenario.mainBytes, ...scenario.spareBytes].map((sizeBytes, target) =>
      this.makeDisk(target, diskBytes(target, sizeBytes), identityOf(scenario, target)),
    );
  }

  /** One that is none of the machine's, or is to be. */
  makeDisk(
    target: number,
    bytes: Pick<SimDiskOptions, 'contents' | 'stable'>,
    identity: DeviceIdentity,
  ): SimDisk {
    const { scenario, clock, random } = this;
    const { blockBytes, canZero, latencyUs, stragglerOdds, goneSaysIo: saysIo } = scenario;
    return new SimDisk({
      ...{ target, blockBytes, canZero, latencyUs, stragglerOdds, saysIo, clock, random, identity, ...bytes },
      sizeBytes: bytes.contents.length,
      hasVolatileCache: scenario.volatileCaches[target]!,
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
    const errno = this.#runAlone(formatSet(superblock, ioMemory, coldMemory.recoveryOffset));
    assert(errno === 0, 'formatting works');
    const found = readMetadata(this.spareBytes);
    if (found === undefined) throw new CheckFailure('structure', 'no superblock after formatting');
    this.layout = found.superblock;
    return true;
  }

  get spareBytes(): readonly Uint8Array[] {
    return this.disks.slice(1).map((disk) => disk.contents);
  }

  /** Begins to start the process; `Life.state` tells how far it is. */
  start(force: boolean, tell: (event: DeviceEvent) => void): Life {
    this.life = new Life(this, force, tell);
    return this.life;
  }

  /** What `dmremap inspect` reads, with the process at work or not. */
  inspect(): Result<AssembledSet, AssemblyFailure> {
    return this.#runAlone(assembleSet({ ...this.assembleInput(this.disks), main: undefined, force: true }));
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
    this.#end();
    for (const disk of this.disks) disk.abandonInFlight();
  }

  powerCut(): void {
    this.#end();
    for (const disk of this.disks) disk.powerCut();
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
      noteWritten: () => {},
      noteFlushStarted: () => {},
      noteFlushEnded: () => {},
    },
  });
}
