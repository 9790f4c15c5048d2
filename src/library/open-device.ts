import { DEFAULT_ON_GONE, parseGonePolicy } from '../device/gone-policy.js';
import type {
  DeviceInfo,
  DeviceStatus,
  NbdEndpoint,
  OpenDeviceOptions,
  ProtectedDevice,
  ServeNbdOptions,
} from './device-types.js';
import { DmRemapError } from './errors.js';
import { formatIfBlank } from './format-spares.js';
import { serveNbd } from './serve-nbd.js';
import { ThreadClient } from './thread-client.js';

/**
 * Opens a protected device in a thread of its own. The main device and all spares of the set are held exclusively
 * until `close`. Rejects with `DmRemapError`.
 */
export async function openDevice(options: OpenDeviceOptions): Promise<ProtectedDevice> {
  if (options.spares.length === 0) throw new DmRemapError('usage', 'no spare given; name at least one');
  if (options.init === true) await formatIfBlank({ main: options.main, spares: options.spares });
  const onGone = parseGonePolicy(options.onGone ?? DEFAULT_ON_GONE);
  if (onGone === undefined) {
    throw new DmRemapError('usage', `onGone: "${options.onGone}" is none of fail, hold, hold:SECONDS`);
  }
  const threadOptions = {
    main: options.main,
    spares: options.spares,
    io: options.io,
    faults: options.faults,
    onLost: options.onLost ?? 'error',
    force: options.force ?? false,
    onGone,
  };
  const { client, info } = await ThreadClient.open(threadOptions, (notice) => options.onEvent?.(notice));
  return new OpenedDevice(client, info);
}

class OpenedDevice implements ProtectedDevice {
  readonly info: DeviceInfo;
  readonly #client: ThreadClient;
  readonly #endpoints = new Set<NbdEndpoint>();

  constructor(client: ThreadClient, info: DeviceInfo) {
    this.#client = client;
    this.info = info;
  }

  get gone(): Promise<void> {
    return this.#client.gone;
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
    if (this.#client.isGone) return this.#client.gone;
    for (const endpoint of [...this.#endpoints]) await endpoint.stop();
    try {
      await this.#client.call({ verb: 'close' });
    } finally {
      await this.#client.gone;
    }
  }
}
