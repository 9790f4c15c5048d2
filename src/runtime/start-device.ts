import { assert } from '../base/assert.js';
import { failed, ok, type Result } from '../base/result.js';
import type { AssembledSet } from '../device/assemble-set.js';
import { assembleSet } from '../device/assemble-set.js';
import { EffectRunner } from '../device/effect-runner.js';
import { COLD_TICKET_COUNT, FIRST_COLD_TICKET } from '../device/limits.js';
import { markOpened } from '../device/mark-opened.js';
import { layOutColdMemory } from '../device/memory-map.js';
import { READ_ONLY_SERVICES } from '../device/read-only-services.js';
import { RemappedDevice } from '../device/remapped-device.js';
import { gonePolicyOf } from '../device/settings-at-work.js';
import { MAIN, spareTarget } from '../engine/effect.js';
import { noteTakesNoWrites } from '../engine/probe.js';
import { formatUuid } from '../format/set-id.js';
import { type MappedMemory, mapMemory } from '../kernel/aligned-memory.js';
import type { OpenDevice } from '../kernel/open-device.js';
import { makeResident } from '../kernel/resident-memory.js';
import type { BlockStore, CompletionSink } from '../ports/block-store.js';
import type { ServedGeometry } from '../ports/served-device.js';
import { readKeptSettings } from '../settings/kept-settings.js';
import { settingsInForce } from '../settings/settings-in-force.js';
import { BuddyAllocator } from '../storage/buddy-allocator.js';
import type { FaultScenario } from '../storage/fault-rule.js';
import { describeAssemblyFailure } from './assembly-message.js';
import type { Backend } from './backend.js';
import { type DeviceNames, pathOfTarget } from './device-names.js';
import type { DeviceInfo, MemberInfo } from './device-report.js';
import { DeviceSettings } from './device-settings.js';
import type { Failure } from './failure.js';
import { failure } from './failure.js';
import type { Mailbox } from './mailbox.js';
import type { ThreadOptions } from './messages.js';
import { noticeOf } from './notices.js';
import { type OpenedStore, openStores, storeOf } from './open-stores.js';
import { ReturnFinder } from './return-finder.js';
import { SpareWatch } from './spare-watch.js';
import { startNotices } from './start-notices.js';

/**
 * Opens the devices, puts the set together, marks it as in use and repairs what was found damaged. `memory` is of
 * `mapDeviceMemory`; the caller gives it back when the last I/O is over, also after a failure.
 */
export function startDevice(
  options: StartOptions,
  backend: Backend,
  memory: MappedMemory,
  mailbox: Mailbox,
  done: (started: Result<StartedDevice, Failure>) => void,
): void {
  const coldMemory = layOutColdMemory();
  const opened = openStores({ ...options, backend, memory });
  if (!opened.ok) return done(opened);
  const stores = opened.value.map(({ store }) => store);
  const [main, ...spares] = stores;
  assert(main !== undefined, 'the main device comes first');
  const completions = new CompletionRouter();
  for (const store of stores) store.attach(completions);
  const runner = new EffectRunner({
    stores,
    scheduler: backend.reactor,
    firstTicket: FIRST_COLD_TICKET,
    ticketCount: COLD_TICKET_COUNT,
    services: READ_ONLY_SERVICES,
  });
  completions.sink = runner;
  const devices = spares.map((store, index) => ({ target: 1 + index, ...store.geometry }));
  const input = {
    main: main.geometry,
    devices,
    force: options.force,
    memory,
    bufferOffset: coldMemory.recoveryOffset,
  };
  runner.start(assembleSet(input), (assembled) => {
    const problem = assembled.ok
      ? servedTwice(assembled.value, options)
      : describeAssemblyFailure(assembled.error, options.main, options.spares);
    if (!assembled.ok || problem !== undefined) {
      for (const store of stores) store.close();
      return done(failed(problem!));
    }
    begin(
      { options, backend, mailbox, memory, coldMemory, opened: opened.value, completions },
      assembled.value,
      done,
    );
  });
}

/** The devices are locked, but no lock tells that a loop device and its image, or two paths to one disk, are the same. */
function servedTwice(
  { choice }: AssembledSet,
  { spares, servedSetIds = [] }: StartOptions,
): Failure | undefined {
  const setId = formatUuid(choice.superblock.setId);
  if (!servedSetIds.includes(setId)) return undefined;
  const problem = `belongs to set ${setId}, which another process serves ("dmremap list") by way of other paths`;
  return failure('refused', `${spares[0]}: ${problem}; stop that first; --force if these are copies`);
}

/**
 * All I/O memory of one device: for the cold path, for payload, for the tags of ublk queues. Memory may depend on a
 * block device, so what serves it is made resident. `problem`: why that failed, a negative errno; else 0.
 */
export function mapDeviceMemory(ublkMemoryBytes: number): { memory: MappedMemory; problem: number } {
  const ublkOffset = ublkMemoryOffset();
  const memory = mapMemory(ublkOffset + ublkMemoryBytes);
  if (ublkMemoryBytes === 0) return { memory, problem: 0 };
  const cold = makeResident(memory.address, layOutColdMemory().endOffset);
  const ublk = makeResident(memory.address + ublkOffset, ublkMemoryBytes);
  return { memory, problem: Math.min(cold, ublk) };
}

function ublkMemoryOffset(): number {
  return layOutColdMemory().endOffset + PAYLOAD_BYTES;
}

/** `scenario`: what the file of `faults` says. */
export type StartOptions = ThreadOptions & { readonly scenario: FaultScenario };

export interface StartedDevice {
  readonly device: RemappedDevice;
  readonly info: DeviceInfo;
  readonly backend: Backend;
  readonly memory: MappedMemory;
  /** For payload. */
  readonly buffers: BuddyAllocator;
  /** By target. */
  readonly stores: readonly BlockStore[];
  /** By target: what queues of other threads open once more. Undefined where faults are injected. */
  readonly sharedDevices: readonly OpenDevice[] | undefined;
  readonly names: DeviceNames;
  readonly settings: DeviceSettings;
  readonly spareWatch: SpareWatch;
}

interface Surroundings {
  readonly options: StartOptions;
  readonly backend: Backend;
  readonly mailbox: Mailbox;
  readonly memory: MappedMemory;
  readonly coldMemory: ReturnType<typeof layOutColdMemory>;
  readonly opened: readonly OpenedStore[];
  readonly completions: CompletionRouter;
}

function begin(
  around: Surroundings,
  set: AssembledSet,
  done: (started: Result<StartedDevice, Failure>) => void,
): void {
  const { options, backend, mailbox, memory, coldMemory, completions } = around;
  const { deviceOfSpare } = set.choice;
  const byTarget = [around.opened[0]!, ...deviceOfSpare.map((index) => around.opened[1 + index]!)];
  const stores = byTarget.map(({ store }) => store);
  const names = {
    main: options.main,
    spares: deviceOfSpare.map((index) => options.spares[index]!),
  };
  const finder = new ReturnFinder(
    byTarget.map(({ device }) => device),
    (device, ticketCount) => storeOf(device, { backend, memory }, ticketCount),
  );
  const atStart = settingsInForce(readKeptSettings(set.choice.superblock).values, options.given);
  let spareWatch: SpareWatch | undefined;
  const device = new RemappedDevice({
    ...set,
    stores,
    scheduler: backend.reactor,
    memory,
    coldMemory,
    lostReadsAsZero: atStart.on_lost !== 0,
    onGone: gonePolicyOf(atStart.on_gone),
    findReturned: finder.find,
    report: (event) => {
      mailbox.tell(noticeOf(event, set.shape, names, device.onGone));
      spareWatch?.onEvent(event);
    },
    wantPoll: () => backend.reactor.kick(),
  });
  const info = infoOf(set, backend, device.geometry, stores, names);
  keepFromTakingUnits(device, info.spares, options.leavingSpares ?? []);
  completions.sink = device;
  backend.reactor.addPoller(device);
  const buffers = new BuddyAllocator(PAYLOAD_BYTES, coldMemory.endOffset);
  device.metadata.run(
    (work) => markOpened(work, set),
    (repairedCount) => {
      if (repairedCount < 0) for (const store of stores) store.close();
      if (repairedCount < 0)
        return done(
          failed(
            failure(
              'metadata',
              `${options.spares.join(', ')}: the metadata can't be written; replace the spare`,
            ),
          ),
        );
      for (const told of startNotices(set, repairedCount, stores[MAIN]!, options.main)) mailbox.tell(told);
      const sharedDevices =
        options.faults === undefined ? byTarget.map((opened) => opened.device) : undefined;
      device.rememberContent();
      if (stores[MAIN]!.geometry.readOnly)
        noteTakesNoWrites(device.context, 'the kernel calls it read-only', backend.reactor.nowMs());
      const settings = new DeviceSettings(device, options.given);
      for (const problem of settings.notices()) mailbox.tell(problem);
      spareWatch = new SpareWatch(device, settings, mailbox);
      spareWatch.check();
      const parts = { device, info, backend, memory, buffers, stores, sharedDevices, names };
      done(ok({ ...parts, settings, spareWatch }));
    },
  );
}

/** Before anything is placed. One spare at least goes on taking units, whatever an earlier process was at. */
function keepFromTakingUnits(
  { context }: RemappedDevice,
  spares: DeviceInfo['spares'],
  leavingSpares: readonly string[],
): void {
  const leaving = [...spares.keys()].filter((index) => leavingSpares.includes(spares[index]!.uuid));
  if (leaving.length === spares.length) return;
  for (const spareIndex of leaving) context.suspension.setLeaving(spareIndex, true);
}

function infoOf(
  set: AssembledSet,
  backend: Backend,
  geometry: ServedGeometry,
  stores: readonly BlockStore[],
  names: DeviceNames,
): DeviceInfo {
  const { superblock } = set.choice;
  const members = stores.map(
    ({ geometry: { sizeBytes, identity } }, target): MemberInfo => ({
      path: pathOfTarget(names, target),
      sizeBytes,
      ...identity,
    }),
  );
  return {
    setId: formatUuid(superblock.setId),
    name: superblock.name,
    main: members[MAIN]!,
    spares: superblock.spares.map(({ uuid }, index) => ({
      ...members[spareTarget(index)]!,
      uuid: formatUuid(uuid),
    })),
    sizeBytes: set.shape.mainSizeBytes,
    logicalBlockBytes: set.shape.logicalBlockBytes,
    unitBytes: set.shape.unitBytes,
    io: backend.kind,
    geometry,
    ublkMemoryOffset: ublkMemoryOffset(),
  };
}

/** Stores are attached once; who gets their completions changes when the set has been put together. */
class CompletionRouter implements CompletionSink {
  sink: CompletionSink | undefined;

  complete(ticket: number, result: number): void {
    this.sink!.complete(ticket, result);
  }
}

/** Address space for payload; pages become real when they are first used. */
const PAYLOAD_BYTES = 128 << 20;
