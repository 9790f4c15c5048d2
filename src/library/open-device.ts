import { randomBytes } from 'node:crypto';
import type { ClosedReport } from '../runtime/messages.js';
import type { SettingChanges } from '../settings/setting-changes.js';
import type { GivenSettings } from '../settings/settings-in-force.js';
import { CALL_KINDS, OPEN_KINDS, settingKinds } from './call-kinds.js';
import type {
  ClosedDevice,
  ConsolidateCall,
  ConsolidationReport,
  DeviceInfo,
  DeviceNotice,
  DeviceStatus,
  EmptyReport,
  EmptySpareCall,
  EvacuationReport,
  HandReport,
  NbdEndpoint,
  OpenDeviceOptions,
  ProtectedDevice,
  RemapPage,
  RemapQuery,
  RemapReport,
  ScrubReport,
  SectorRange,
  ServeNbdOptions,
  SettingReport,
  SettingsChanged,
  SparePlace,
  SpareUse,
} from './device-types.js';
import { DISK_PATIENCE_MS } from './disk-patience.js';
import { DmRemapError } from './errors.js';
import { formatIfBlank } from './format-spares.js';
import { givenSettings } from './given-settings.js';
import { refuseWrongTypes } from './given-types.js';
import { type MapArchive, startArchive } from './map-archive.js';
import { refuseLostArchive } from './refuse-lost-archive.js';
import { serveNbd } from './serve-nbd.js';
import { serveUblk, type UblkServer } from './serve-ublk.js';
import { ThreadClient } from './thread-client.js';
import { planUblk, type UblkPlan } from './ublk-plan.js';
import { unusedTailBytes, unusedTailText } from './unused-tail.js';

/**
 * Opens a protected device in a thread of its own. The main device and all spares of the set are held exclusively
 * until `close`. Rejects with `DmRemapError`.
 */
export async function openDevice(options: OpenDeviceOptions): Promise<ProtectedDevice> {
  refuseWrongTypes(options, OPEN_KINDS);
  if (options.spares.length === 0) throw new DmRemapError('usage', 'no spare given; name at least one');
  const given = givenSettings(options);
  const plan = options.ublk === undefined ? undefined : await planUblk(options.spares, options.ublk);
  try {
    // Programs wait for a block device whose process died: rather without an archive, which is told of then.
    if (options.archive !== undefined && plan?.orphan === undefined) await refuseLostArchive(options.archive);
    return await openPlanned(options, given, plan);
  } catch (error) {
    plan?.control.close();
    throw error;
  }
}

async function openPlanned(
  options: OpenDeviceOptions,
  given: GivenSettings,
  plan: UblkPlan | undefined,
): Promise<ProtectedDevice> {
  if (options.init === true) await formatIfBlank({ main: options.main, spares: options.spares });
  const threadOptions = {
    main: options.main,
    spares: options.spares,
    io: options.io,
    faults: options.faults,
    force: options.force ?? false,
    leavingSpares: options.leavingSpares,
    servedSetIds: await options.servedSetIds?.(),
    given,
    // The last I/O of a process that was killed may still be under way.
    openPatienceMs: plan?.orphan === undefined ? 0 : DISK_PATIENCE_MS,
    ublkMemoryBytes: plan === undefined ? 0 : plan.queueCount * plan.depth * plan.maxIoBytes,
  };
  const tell = (notice: DeviceNotice): void => options.onEvent?.(notice);
  const { client, info } = await ThreadClient.open(threadOptions, tell);
  try {
    tellUnusedTail(options.main, info, tell);
    const archive =
      options.archive === undefined ? undefined : await startArchive(options.archive, client, tell);
    if (plan !== undefined && info.io !== 'uring') throw new DmRemapError('system', UBLK_NEEDS_URING);
    const ublk = plan && (await serveUblk(plan, client, info, tell));
    return new OpenedDevice(client, info, { ublk, archive, tell, closed: () => plan?.control.close() });
  } catch (error) {
    // Of a thread that has crashed the first failure says more.
    await client.call({ verb: 'close' }).catch(() => undefined);
    throw error;
  }
}

const UBLK_NEEDS_URING = 'a ublk device needs io_uring; allow it, or serve with NBD';

/** At every start: who copies what is served misses these bytes of the image. */
function tellUnusedTail(
  main: string,
  { logicalBlockBytes }: DeviceInfo,
  tell: (notice: DeviceNotice) => void,
): void {
  const unusedBytes = unusedTailBytes(main, logicalBlockBytes);
  const message = unusedTailText(main, unusedBytes, logicalBlockBytes);
  if (message === undefined) return;
  tell({ level: 'warn', event: 'endNotServed', message, details: { main, unusedBytes } });
}

interface OpenedParts {
  readonly ublk: UblkServer | undefined;
  readonly archive: MapArchive | undefined;
  readonly tell: (notice: DeviceNotice) => void;
  readonly closed: () => void;
}

class OpenedDevice implements ProtectedDevice {
  readonly info: DeviceInfo;
  readonly #client: ThreadClient;
  readonly ublk: UblkServer | undefined;
  readonly #endpoints = new Set<NbdEndpoint>();
  #archive: MapArchive | undefined;
  readonly #tell: (notice: DeviceNotice) => void;
  readonly #closed: () => void;

  constructor(client: ThreadClient, info: DeviceInfo, parts: OpenedParts) {
    this.#client = client;
    this.info = info;
    this.ublk = parts.ublk;
    this.#archive = parts.archive;
    this.#tell = parts.tell;
    this.#closed = parts.closed;
  }

  get gone(): Promise<void> {
    const { gone } = this.#client;
    return this.ublk === undefined ? gone : Promise.race([gone, this.ublk.crashed]);
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    refuseWrongTypes({ offsetBytes, lengthBytes }, CALL_KINDS.read);
    return (await this.#client.call({ verb: 'read', offsetBytes, lengthBytes })) as Uint8Array;
  }

  async write(
    offsetBytes: number,
    data: Uint8Array,
    { durable = false }: { readonly durable?: boolean } = {},
  ): Promise<void> {
    refuseWrongTypes({ offsetBytes, data, durable }, CALL_KINDS.write);
    await this.#client.call({ verb: 'write', offsetBytes, data, durable });
  }

  async flush(): Promise<void> {
    await this.#client.call({ verb: 'flush' });
  }

  async status(): Promise<DeviceStatus> {
    return (await this.#client.call({ verb: 'status' })) as DeviceStatus;
  }

  async remaps({ firstSpareUnit = 0, limit = 1000, onlyLost = false }: RemapQuery = {}): Promise<RemapPage> {
    refuseWrongTypes({ firstSpareUnit, limit, onlyLost }, CALL_KINDS.remaps);
    return (await this.#client.call({ verb: 'remaps', firstSpareUnit, limit, onlyLost })) as RemapPage;
  }

  async remapAt(mainSector: number): Promise<RemapReport | undefined> {
    refuseWrongTypes({ mainSector }, CALL_KINDS.remapAt);
    return (await this.#client.call({ verb: 'remapAt', mainSector })) as RemapReport | undefined;
  }

  async moveByHand(range: SectorRange, place?: SparePlace): Promise<HandReport> {
    refuseWrongTypes(range, CALL_KINDS.moveByHand);
    if (place !== undefined) refuseWrongTypes(place, CALL_KINDS.place);
    return (await this.#client.call({ verb: 'moveByHand', range, place })) as HandReport;
  }

  async giveBack(range: SectorRange): Promise<HandReport> {
    refuseWrongTypes(range, CALL_KINDS.giveBack);
    return (await this.#client.call({ verb: 'giveBack', range })) as HandReport;
  }

  async emptySpare(call: EmptySpareCall): Promise<EmptyReport> {
    refuseWrongTypes(call, CALL_KINDS.emptySpare);
    return (await this.#client.call({ verb: 'emptySpare', ...call })) as EmptyReport;
  }

  async keepSpare(spareIndex: number): Promise<void> {
    refuseWrongTypes({ spareIndex }, CALL_KINDS.keepSpare);
    await this.#client.call({ verb: 'keepSpare', spareIndex });
  }

  async spareUse(): Promise<readonly SpareUse[]> {
    return (await this.#client.call({ verb: 'spareUse' })) as readonly SpareUse[];
  }

  async consolidate(call: ConsolidateCall): Promise<ConsolidationReport> {
    refuseWrongTypes(call, CALL_KINDS.consolidate);
    return (await this.#client.call({ verb: 'consolidate', ...call })) as ConsolidationReport;
  }

  async evacuate(path: string, copyId: Uint8Array = randomBytes(16)): Promise<EvacuationReport> {
    refuseWrongTypes({ path, copyId }, CALL_KINDS.evacuate);
    return (await this.#client.call({ verb: 'evacuate', path, copyId })) as EvacuationReport;
  }

  evacuation(): Promise<EvacuationReport | undefined> {
    return this.#evacuationCall('evacuation');
  }

  pauseEvacuation(): Promise<EvacuationReport | undefined> {
    return this.#evacuationCall('pauseEvacuation');
  }

  resumeEvacuation(): Promise<EvacuationReport | undefined> {
    return this.#evacuationCall('resumeEvacuation');
  }

  async acceptEvacuationLoss(): Promise<EvacuationReport> {
    return (await this.#client.call({ verb: 'acceptEvacuationLoss' })) as EvacuationReport;
  }

  cancelEvacuation(): Promise<EvacuationReport | undefined> {
    return this.#evacuationCall('cancelEvacuation');
  }

  async #evacuationCall(
    verb: 'evacuation' | 'pauseEvacuation' | 'resumeEvacuation' | 'cancelEvacuation',
  ): Promise<EvacuationReport | undefined> {
    return ((await this.#client.call({ verb })) as EvacuationReport | null) ?? undefined;
  }

  async settings(): Promise<readonly SettingReport[]> {
    return (await this.#client.call({ verb: 'settings' })) as readonly SettingReport[];
  }

  async changeSettings(changes: SettingChanges): Promise<SettingsChanged> {
    refuseWrongTypes(changes, settingKinds(changes));
    return (await this.#client.call({ verb: 'changeSettings', changes })) as SettingsChanged;
  }

  async suspend({ flush = true }: { readonly flush?: boolean } = {}): Promise<boolean> {
    refuseWrongTypes({ flush }, CALL_KINDS.suspend);
    return (await this.#client.call({ verb: 'suspend', flush })) as boolean;
  }

  async resume(): Promise<boolean> {
    return (await this.#client.call({ verb: 'resume' })) as boolean;
  }

  async scrubMetadata(): Promise<ScrubReport> {
    return (await this.#client.call({ verb: 'scrubMetadata' })) as ScrubReport;
  }

  async serveNbd(uri: string, options: ServeNbdOptions = {}): Promise<NbdEndpoint> {
    refuseWrongTypes({ uri }, CALL_KINDS.serveNbd);
    const inner = await serveNbd(this.#client, uri, options, this.#tell);
    const endpoint: NbdEndpoint = {
      uri: inner.uri,
      stop: async () => {
        this.#endpoints.delete(endpoint);
        await inner.stop();
      },
    };
    this.#endpoints.add(endpoint);
    return endpoint;
  }

  async close(): Promise<ClosedDevice> {
    if (this.#isBroken) return this.#broken();
    // A block device above can be stopped only when its requests are answered.
    await this.#client.call({ verb: 'endHolding' });
    for (const endpoint of [...this.#endpoints]) await endpoint.stop();
    await this.ublk?.stop();
    return this.#end(false);
  }

  async handOver(): Promise<ClosedDevice> {
    if (this.#isBroken) return this.#broken();
    // What is held has to be answered before it can be left to another process.
    await this.resume();
    // The block device is served by nobody while there is something to wait for.
    await this.#client.call({ verb: 'endHandWork' });
    for (const endpoint of [...this.#endpoints]) await endpoint.stop();
    // It may be kept on this very device, which takes no writes once it is released. The next process archives the rest.
    await this.#endArchive();
    const { ublk } = this;
    if (ublk === undefined) return this.#end(true);
    await ublk.release();
    return this.#leave(ublk);
  }

  /** With a thread lost there is no order to end in: the process ends, and the next one recovers. */
  get #isBroken(): boolean {
    return this.#client.isGone || this.ublk?.hasLostThread === true;
  }

  async #broken(): Promise<ClosedDevice> {
    await this.gone;
    return { isEvacuated: false };
  }

  async #end(isLeft: boolean): Promise<ClosedDevice> {
    try {
      return closedAs(await this.#closeSet(), isLeft);
    } finally {
      this.#closed();
      await this.#client.gone;
      await this.#endArchive();
    }
  }

  /** The thread goes on with its ring until the process ends. */
  async #leave(ublk: UblkServer): Promise<ClosedDevice> {
    try {
      const report = await this.#closeSet();
      ublk.leaveToNext(report.flushFailureCount);
      return closedAs(report, true);
    } finally {
      this.#closed();
    }
  }

  async #closeSet(): Promise<ClosedReport> {
    return (await this.#client.call({ verb: 'close' })) as ClosedReport;
  }

  async #endArchive(): Promise<void> {
    const archive = this.#archive;
    this.#archive = undefined;
    await archive?.end();
  }
}

/** `isLeft`: for a disk that takes over. The one that is left for it need not have taken the last flush. */
function closedAs({ problem, isSealed }: ClosedReport, isLeft: boolean): ClosedDevice {
  if (problem !== undefined && !(isLeft && isSealed)) throw DmRemapError.of(problem);
  return { isEvacuated: isSealed };
}
