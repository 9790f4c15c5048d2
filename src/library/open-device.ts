import { DEFAULT_ON_GONE, type GonePolicy, parseGonePolicy } from '../device/gone-policy.js';
import type {
  DeviceInfo,
  DeviceNotice,
  DeviceStatus,
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
  SparePlace,
} from './device-types.js';
import { DISK_PATIENCE_MS } from './disk-patience.js';
import { DmRemapError } from './errors.js';
import { formatIfBlank } from './format-spares.js';
import { type MapArchive, startArchive } from './map-archive.js';
import { serveNbd } from './serve-nbd.js';
import { serveUblk, type UblkServer } from './serve-ublk.js';
import { ThreadClient } from './thread-client.js';
import { planUblk, type UblkPlan } from './ublk-plan.js';

/**
 * Opens a protected device in a thread of its own. The main device and all spares of the set are held exclusively
 * until `close`. Rejects with `DmRemapError`.
 */
export async function openDevice(options: OpenDeviceOptions): Promise<ProtectedDevice> {
  if (options.spares.length === 0) throw new DmRemapError('usage', 'no spare given; name at least one');
  const onGone = gonePolicyOf(options);
  const plan = options.ublk === undefined ? undefined : await planUblk(options.spares, options.ublk);
  try {
    return await openPlanned(options, onGone, plan);
  } catch (error) {
    plan?.control.close();
    throw error;
  }
}

async function openPlanned(
  options: OpenDeviceOptions,
  onGone: GonePolicy,
  plan: UblkPlan | undefined,
): Promise<ProtectedDevice> {
  if (options.init === true) await formatIfBlank({ main: options.main, spares: options.spares });
  const threadOptions = {
    main: options.main,
    spares: options.spares,
    io: options.io,
    faults: options.faults,
    onLost: options.onLost ?? 'error',
    force: options.force ?? false,
    onGone,
    metadataScrubMs: (options.metadataScrubHours ?? A_WEEK_HOURS) * MS_PER_HOUR,
    // The last I/O of a process that was killed may still be under way.
    openPatienceMs: plan?.orphan === undefined ? 0 : DISK_PATIENCE_MS,
    ublkMemoryBytes: plan === undefined ? 0 : plan.queueCount * plan.depth * plan.maxIoBytes,
  };
  const tell = (notice: DeviceNotice): void => options.onEvent?.(notice);
  const { client, info } = await ThreadClient.open(threadOptions, tell);
  try {
    const archive =
      options.archive === undefined ? undefined : await startArchive(options.archive, client, tell);
    const ublk = plan && (await serveUblk(plan, client, info, tell));
    return new OpenedDevice(client, info, { ublk, archive, closed: () => plan?.control.close() });
  } catch (error) {
    await client.call({ verb: 'close' });
    throw error;
  }
}

const A_WEEK_HOURS = 168;
const MS_PER_HOUR = 3_600_000;

function gonePolicyOf({ onGone = DEFAULT_ON_GONE }: OpenDeviceOptions): GonePolicy {
  const policy = parseGonePolicy(onGone);
  if (policy !== undefined) return policy;
  throw new DmRemapError('usage', `on-gone ${onGone}: expected fail, hold or hold:SECONDS (1 to 1000000)`);
}

interface OpenedParts {
  readonly ublk: UblkServer | undefined;
  readonly archive: MapArchive | undefined;
  readonly closed: () => void;
}

class OpenedDevice implements ProtectedDevice {
  readonly info: DeviceInfo;
  readonly #client: ThreadClient;
  readonly ublk: UblkServer | undefined;
  readonly #endpoints = new Set<NbdEndpoint>();
  #archive: MapArchive | undefined;
  readonly #closed: () => void;

  constructor(client: ThreadClient, info: DeviceInfo, parts: OpenedParts) {
    this.#client = client;
    this.info = info;
    this.ublk = parts.ublk;
    this.#archive = parts.archive;
    this.#closed = parts.closed;
  }

  get gone(): Promise<void> {
    const { gone } = this.#client;
    return this.ublk === undefined ? gone : Promise.race([gone, this.ublk.crashed]);
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    return (await this.#client.call({ verb: 'read', offsetBytes, lengthBytes })) as Uint8Array;
  }

  async write(
    offsetBytes: number,
    data: Uint8Array,
    options: { readonly durable?: boolean } = {},
  ): Promise<void> {
    await this.#client.call({ verb: 'write', offsetBytes, data, durable: options.durable ?? false });
  }

  async flush(): Promise<void> {
    await this.#client.call({ verb: 'flush' });
  }

  async status(): Promise<DeviceStatus> {
    return (await this.#client.call({ verb: 'status' })) as DeviceStatus;
  }

  async remaps({ firstSpareUnit = 0, limit = 1000, onlyLost = false }: RemapQuery = {}): Promise<RemapPage> {
    return (await this.#client.call({ verb: 'remaps', firstSpareUnit, limit, onlyLost })) as RemapPage;
  }

  async remapAt(mainSector: number): Promise<RemapReport | undefined> {
    return (await this.#client.call({ verb: 'remapAt', mainSector })) as RemapReport | undefined;
  }

  async moveByHand(range: SectorRange, place?: SparePlace): Promise<HandReport> {
    return (await this.#client.call({ verb: 'moveByHand', range, place })) as HandReport;
  }

  async giveBack(range: SectorRange): Promise<HandReport> {
    return (await this.#client.call({ verb: 'giveBack', range })) as HandReport;
  }

  async scrubMetadata(): Promise<ScrubReport> {
    return (await this.#client.call({ verb: 'scrubMetadata' })) as ScrubReport;
  }

  async serveNbd(uri: string, options: ServeNbdOptions = {}): Promise<NbdEndpoint> {
    const inner = await serveNbd(this.#client, uri, options);
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

  async close(): Promise<void> {
    if (this.#isBroken) return this.gone;
    // A block device above can be stopped only when its requests are answered.
    await this.#client.call({ verb: 'endHolding' });
    for (const endpoint of [...this.#endpoints]) await endpoint.stop();
    await this.ublk?.stop();
    await this.#end();
  }

  async handOver(): Promise<void> {
    if (this.#isBroken) return this.gone;
    for (const endpoint of [...this.#endpoints]) await endpoint.stop();
    // It may be kept on this very device, which takes no writes once it is released. The next process archives the rest.
    await this.#endArchive();
    await this.ublk?.release();
    await this.#end();
  }

  /** With a thread lost there is no order to end in: the process ends, and the next one recovers. */
  get #isBroken(): boolean {
    return this.#client.isGone || this.ublk?.hasLostThread === true;
  }

  async #end(): Promise<void> {
    try {
      await this.#client.call({ verb: 'close' });
    } finally {
      this.#closed();
      await this.#client.gone;
      await this.#endArchive();
    }
  }

  async #endArchive(): Promise<void> {
    const archive = this.#archive;
    this.#archive = undefined;
    await archive?.end();
  }
}
