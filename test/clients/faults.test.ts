import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { sha256OfFile } from '../support/random-file.js';
import { lacksTools, runTool, tryTool } from '../support/run-tool.js';
import { ServedDeviceProcess, TRANSPORTS } from '../support/served-device.js';
import { fioVerify } from './fio-verify.js';

const MIB = 1 << 20;
/** What fio writes, and hence where the faults are: every bad block gets contents. */
const WRITTEN_BYTES = 32 * MIB;
const REMAPPED = 1;
const LOST = 2;

describe.skipIf(lacksTools('fio', 'nbdinfo', 'nbdcopy', 'qemu-io'))('over failing disks', () => {
  let images: DiskImages | undefined;
  let served: ServedDeviceProcess | undefined;

  const start = async (scenario: string) => {
    images ??= await DiskImages.create({ mainBytes: WRITTEN_BYTES, spareBytes: 16 * MIB });
    const faultsPath = images.path('faults.yaml');
    writeFileSync(faultsPath, scenario);
    served = await ServedDeviceProcess.start(images, { faultsPath });
    return { images, served };
  };

  afterEach(async () => {
    await served?.kill();
    images?.remove();
    images = undefined;
  });

  it.each(
    TRANSPORTS,
  )('fio verify sees no error over %s, and the data outlives a stop and a kill', async (transport) => {
    const first = await start(EVERY_KIND_OF_FAULT);
    const uri = first.served.uris[transport];
    const common = { depth: 16, jobs: 4, bytesPerJob: WRITTEN_BYTES / 4 };
    await fioVerify(uri, first.images.directory, { ...common, blockBytes: 4096, seed: 6 });
    await fioVerify(uri, first.images.directory, { ...common, blockBytes: 16384, seed: 7 });
    const states = await statesOf(uri);
    expect(states.has(REMAPPED), 'some faults were met').toBe(true);
    expect(
      [...states].some((state) => (state & LOST) !== 0),
      'nothing was lost',
    ).toBe(false);

    const before = await hashOfDevice(uri, first.images);
    await first.served.stop();
    const second = await start(PERMANENT_FAULTS);
    expect(await hashOfDevice(second.served.uris[transport], second.images)).toBe(before);
    await second.served.kill();
    const third = await start(PERMANENT_FAULTS);
    expect(await hashOfDevice(third.served.uris[transport], third.images)).toBe(before);
    await third.served.stop();
  });

  it('fio verify sees no error with blocks smaller than a unit', async () => {
    const { served, images } = await start(EVERY_KIND_OF_FAULT);
    const plan = { blockBytes: 512, depth: 16, jobs: 4, bytesPerJob: MIB, seed: 8 };
    await fioVerify(served.uris.unix, images.directory, plan);
    await served.stop();
  });

  it('a sector that cannot be read is an error for that sector alone, until it is written', async () => {
    const { served } = await start('main:\n  - { sectors: "1003", on: [read], error: ENODATA }\n');
    const at = (sector: number) => sector * 512;
    expect((await qemuIo(served, `write -P 0x21 ${at(992)} ${at(11)}`)).status).toBe(0);
    expect((await qemuIo(served, `read ${at(1003)} 512`)).status).not.toBe(0);
    expect((await qemuIo(served, `read -P 0x21 ${at(992)} ${at(11)}`)).status).toBe(0);
    expect((await qemuIo(served, `read -P 0 ${at(1004)} ${at(12)}`)).status).toBe(0);
    expect(await statesOf(served.uris.unix)).toContain(REMAPPED | LOST);
    expect((await qemuIo(served, `write -P 0x22 ${at(1003)} 512`)).status).toBe(0);
    expect((await qemuIo(served, `read -P 0x22 ${at(1003)} 512`)).status).toBe(0);
    expect((await qemuIo(served, `read -P 0x21 ${at(1000)} ${at(3)}`)).status).toBe(0);
    await served.stop();
  });
});

const PERMANENT_FAULTS = `
spare:
  - { sectors: "${everyNthSector(3000, 32000, 1009)}", on: [write], error: ENODATA }
main:
  - { sectors: "${everyNthSector(1000, 62000, 997)}", error: ENODATA }
  - { sectors: "20000-20063", on: [write], error: EIO }
`;

/** The others heal or are used up: they have no part in what a restart is tested with. */
const EVERY_KIND_OF_FAULT = `${PERMANENT_FAULTS}
  - { sectors: "30000-30007,31003", on: [read], error: ENODATA, healsOnWrite: true }
  - { sectors: "40000-40007", error: EIO, times: 3 }
  - { sectors: "50000-50007", delayMs: 50 }
  - { sectors: "55000-55007", error: EAGAIN, times: 2 }
`;

function everyNthSector(first: number, last: number, step: number): string {
  const count = Math.floor((last - first) / step) + 1;
  return Array.from({ length: count }, (_, index) => first + index * step).join(',');
}

function qemuIo(served: ServedDeviceProcess, command: string) {
  return tryTool('qemu-io', ['-f', 'raw', '-c', command, served.uris.unix]);
}

/** All values of `x-dm-remap:state` on the device. */
async function statesOf(uri: string): Promise<Set<number>> {
  const map = JSON.parse(await runTool('nbdinfo', ['--json', '--map=x-dm-remap:state', uri])) as {
    type: number;
  }[];
  return new Set(map.map((extent) => extent.type));
}

async function hashOfDevice(uri: string, images: DiskImages): Promise<string> {
  const copy = images.path('copy');
  await runTool('nbdcopy', [uri, copy]);
  return sha256OfFile(copy);
}
