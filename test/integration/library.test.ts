import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type DeviceNotice,
  DmRemapError,
  inspectSpares,
  type ProtectedDevice,
} from '../../dist/library/index.js';
import { NbdClient } from '../../src/demo/nbd-client.js';
import { ProtectedImages } from '../support/protected-images.js';

const MIB = 1 << 20;
const UNIT_BYTES = 4096;
let images: ProtectedImages;

beforeEach(async () => {
  images = await ProtectedImages.create(256 * MIB);
});

afterEach(() => images.remove());

function filled(lengthBytes: number, value: number): Uint8Array {
  return new Uint8Array(lengthBytes).fill(value);
}

async function failureOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof DmRemapError ? error.failure : `not a DmRemapError: ${String(error)}`;
}

async function serve(device: ProtectedDevice): Promise<NbdClient> {
  const socketPath = images.path('nbd.sock');
  await device.serveNbd(`nbd+unix:///?socket=${socketPath}`);
  return NbdClient.connect({ address: { path: socketPath } });
}

function readOf(client: NbdClient, offsetBytes: number): Promise<Buffer> {
  return client.read(offsetBytes, UNIT_BYTES);
}

describe.each(['uring', 'portable'] as const)('a device in this process, --io %s', (io) => {
  it('has the data of a write that nobody waited for before it was closed', async () => {
    const device = await images.open({ io, faultsYaml: 'main:\n  - { on: [write], delayMs: 50 }\n' });
    const writes = [0, 1, 2, 3].map((nth) => device.write(nth * 8 * MIB, filled(8 * MIB, nth + 1)));
    await device.close();
    await Promise.all(writes);
    const again = await images.open({ io });
    for (let nth = 0; nth < 4; nth += 1) {
      const end = await again.read((nth + 1) * 8 * MIB - UNIT_BYTES, UNIT_BYTES);
      expect(Buffer.compare(end, filled(UNIT_BYTES, nth + 1))).toBe(0);
    }
  });

  it('reads 200 MiB at once while it begins to serve a client', async () => {
    const faultsYaml = 'main:\n  - { sectors: "0-409599", on: [read], delayMs: 50 }\n';
    const device = await images.open({ io, faultsYaml });
    await device.write(150 * MIB, filled(UNIT_BYTES, 7));
    let isReading = true;
    const reading = device.read(0, 200 * MIB).finally(() => {
      isReading = false;
    });
    await device.status();
    const client = await serve(device);
    let servedCount = 0;
    for (; isReading || servedCount < 10; servedCount += 1) {
      await client.write(220 * MIB, filled(UNIT_BYTES, servedCount));
      expect(Buffer.compare(await readOf(client, 220 * MIB), filled(UNIT_BYTES, servedCount))).toBe(0);
    }
    const data = await reading;
    expect(data).toHaveLength(200 * MIB);
    expect([data[150 * MIB - 1], data[150 * MIB], data[150 * MIB + UNIT_BYTES]]).toEqual([0, 7, 0]);
    client.destroy();
  });

  it('tells at the start what the image has beyond whole blocks', async () => {
    const main = images.file('odd.img', MIB + 612);
    const told: DeviceNotice[] = [];
    const options = { io, main, spares: [images.file('blank.img', MIB)], init: true };
    const device = await images.open({ ...options, onEvent: (notice) => told.push(notice) });
    expect(device.info.sizeBytes).toBe(MIB + 512);
    expect(told.filter(({ event }) => event === 'endNotServed')).toMatchObject([
      {
        level: 'warn',
        message: expect.stringContaining('odd.img: 100 bytes'),
        details: { unusedBytes: 100 },
      },
    ]);
  });

  it('is closed again when who is told of that throws', async () => {
    const main = images.file('odd.img', MIB + 612);
    const options = { io, main, spares: [images.file('blank.img', MIB)], init: true };
    const onEvent = ({ event }: DeviceNotice): void => {
      if (event === 'endNotServed') throw new Error('not now');
    };
    await expect(images.open({ ...options, onEvent })).rejects.toThrow('not now');
    const device = await images.open(options);
    expect(device.info.sizeBytes).toBe(MIB + 512);
  });

  it('refuses senseless offsets and lengths, and goes on', async () => {
    const device = await images.open({ io });
    const senseless = [-512, -1, 1, 0.5, Number.NaN, Infinity, -Infinity, 2 ** 53, 2 ** 60, 1e300];
    for (const value of senseless) {
      expect(await failureOf(device.read(value, 512)), `read at ${value}`).toBe('usage');
      expect(await failureOf(device.read(1024, value)), `read of ${value} bytes`).toBe('usage');
      expect(await failureOf(device.write(value, filled(512, 1))), `write at ${value}`).toBe('usage');
    }
    expect(await failureOf(device.read(0, 0))).toBe('usage');
    expect(await failureOf(device.read(256 * MIB, 512))).toBe('usage');
    expect(await failureOf(device.write(0, filled(511, 1)))).toBe('usage');
    expect(await device.read(1024, 512)).toEqual(filled(512, 0));
    await device.close();
  });

  it('refuses values of other types, as a program in plain JavaScript may give them, and goes on', async () => {
    const device = await images.open({ io });
    const plain = device as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    const wrong: readonly (readonly [string, ...unknown[]])[] = [
      ...([['read', '0', 512], ['read', 0, 512n], ['read'], ['read', 0, { length: 512 }]] as const),
      ...([
        ['write', 0, 'x'.repeat(512)],
        ['write', 0, { length: 512 }],
        ['write', 0, undefined],
      ] as const),
      ...([
        ['write', 0, new Uint16Array(256)],
        ['write', 0, filled(512, 1), { durable: 'yes' }],
      ] as const),
      ...([
        ['remaps', { limit: '5' }],
        ['remaps', { firstSpareUnit: -1 }],
        ['remapAt', 'a'],
        ['remapAt'],
      ] as const),
      ...([['moveByHand'], ['moveByHand', { firstSector: 0 }], ['moveByHand', 5]] as const),
      ['moveByHand', { firstSector: 0, sectorCount: 8 }, null],
      ['moveByHand', { firstSector: 0, sectorCount: 8 }, { spareIndex: 0, spareSector: -8 }],
      ...([
        ['giveBack', null],
        ['emptySpare'],
        ['keepSpare', 'a'],
        ['consolidate'],
        ['consolidate', {}],
      ] as const),
      ...([
        ['evacuate', 5],
        ['evacuate', images.path('new.img'), 'abc'],
        ['suspend', { flush: 1 }],
      ] as const),
      ...([['changeSettings'], ['changeSettings', { max_remaps: '5' }], ['changeSettings', 'abc']] as const),
      ['serveNbd', 5],
    ];
    for (const [method, ...args] of wrong)
      expect(await failureOf(plain[method]!(...args)), `${method} ${String(args)}`).toBe('usage');
    expect(await device.read(1024, 512)).toEqual(filled(512, 0));
    await device.close();
    for (const options of [{ main: 5 }, { faults: 5 }, { io: 'fast' }, { leavingSpares: 'abc' }])
      expect(await failureOf(images.open({ io, ...(options as object) }))).toBe('usage');
  });

  it('refuses a read of more than fits into memory, and goes on', async () => {
    await images.remove();
    images = await ProtectedImages.create(64 * 1024 * MIB);
    const device = await images.open({ io });
    expect(await failureOf(device.read(0, 64 * 1024 * MIB))).toBe('usage');
    expect(await device.read(1024, 512)).toEqual(filled(512, 0));
    await device.close();
  });

  it('is told of a flush that failed for a write that moved a unit, and so is every NBD client', async () => {
    const faultsYaml = `main:
  - { sectors: "8-15", on: [write], error: ENODATA }
  - { on: [flush], error: EIO, times: 1 }
`;
    const device = await images.open({ io, faultsYaml });
    const client = await serve(device);
    await device.write(MIB, filled(UNIT_BYTES, 1));
    await client.write(2 * MIB, filled(UNIT_BYTES, 2));
    expect(await failureOf(device.write(UNIT_BYTES, filled(UNIT_BYTES, 3), { durable: true }))).toBe('io');
    expect(await failureOf(device.flush())).toBe('io');
    await device.flush();
    await expect(client.flush()).rejects.toMatchObject({ errno: 5 });
    await client.flush();
    client.destroy();
  });

  it('says so when it is closed with the main device given up, and the set is not marked as clean', async () => {
    const faultsYaml = 'main:\n  - { sectors: "8-15", on: [write], error: ENODEV }\n';
    const device = await images.open({ io, faultsYaml, onGone: 'fail' });
    expect(await failureOf(device.write(UNIT_BYTES, filled(UNIT_BYTES, 1)))).toBe('io');
    expect((await device.status()).breakerOpen).not.toBeNull();
    expect(await failureOf(device.close())).toBe('io');
    expect((await inspectSpares([images.sparePath])).cleanShutdown).toBe(false);
    await (await images.open({ io })).close();
    expect((await inspectSpares([images.sparePath])).cleanShutdown).toBe(true);
  });

  it('leaves no lock, no descriptor and no memory behind, opened and closed and refused over and over', async () => {
    const wrong = images.file('wrong.img', 8 * MIB);
    const round = async (): Promise<void> => {
      expect(await failureOf(images.open({ io, main: wrong }))).toBe('refused');
      const device = await images.open({ io });
      await device.write(0, filled(16 * MIB, 1));
      await device.close();
    };
    await round();
    const before = usage();
    for (let nth = 0; nth < 3; nth += 1) await round();
    const after = usage();
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 2);
    // Each device maps more than 128 MiB.
    expect(after.addressBytes - before.addressBytes).toBeLessThan(300 * MIB);
    expect(after.residentBytes - before.residentBytes).toBeLessThan(100 * MIB);
  });
});

function usage(): {
  readonly descriptors: number;
  readonly residentBytes: number;
  readonly addressBytes: number;
} {
  const status = readFileSync('/proc/self/status', 'utf8');
  const bytesOf = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)![1]) * 1024;
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    residentBytes: bytesOf('VmRSS'),
    addressBytes: bytesOf('VmSize'),
  };
}
