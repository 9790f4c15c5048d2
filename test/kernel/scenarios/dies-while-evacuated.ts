import { writeFile } from 'node:fs/promises';
import { ramDisks } from '../lab/guest/brd.js';
import { linearTable, MappedDevice } from '../lab/guest/device-mapper.js';
import { dmremap, type Served, serve, startDmremap } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import { FileLoad } from '../lab/guest/file-load.js';
import { checkFileSystem, makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { until } from '../lab/guest/until.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'dies-while-evacuated',
  about:
    'The disk dies while its set is copied: what was copied is read on, under a mounted ext4; with --accept-loss the other disk takes over, and what was not copied is an error, and nothing made up.',
  kernels: ['6.12', '6.18'],
  notInSuite: 'takes 2 minutes, and its parts are in read-replacement.test.ts; the suite shall end in 30',
  timeoutSeconds: 400,
  steps: {
    async main(guest) {
      const [disk, spare, other] = await ramDisks(guest, 3, DISK_MIB);
      const main = await MappedDevice.create(guest, 'main', linearTable(disk!));
      await guest.modprobe('dm_delay');
      const target = await MappedDevice.create(guest, 'target', slowBehind(other!));
      await dmremap(guest, ['format', '--main', main.path, '--spare', spare!, '--yes']);
      const further = ['--on-gone', 'hold:600'];
      const served = await serve(guest, { main: main.path, spares: [spare!], frontend: 'ublk', further });
      const raw = await PatternFile.open(served.path);
      await raw.writeAll(0, SECTORS, 1);
      await raw.flush();
      const files = await MappedDevice.create(guest, 'files', `0 ${FILES_SECTORS} linear ${served.path} 0\n`);
      await makeFileSystem(guest, 'ext4', files.path);
      const directory = await mount(guest, 'ext4', files.path);
      const load = new FileLoad(directory, 1);
      await until('there are files', () => load.operationCount >= 60, 120);
      await load.stop();
      const command = startDmremap(guest, ['evacuate', served.path, target.path, '--yes']);
      await until(
        'the first part is copied',
        async () => (await copiedBytes(guest, served)) >= COPIED_BYTES,
        120,
      );
      await main.fail();
      command.kill('SIGINT');
      await command.finish(60);
      await target.replaceTable(linearTable(other!));
      guest.say('the disk is dead; what was copied is read');
      await writeFile('/proc/sys/vm/drop_caches', '3');
      await load.check();
      await raw.expect(FILES_SECTORS, SAVED_SECTORS - FILES_SECTORS, 1);
      await dmremap(guest, ['evacuate', served.path, '--accept-loss', '--yes'], { timeoutSeconds: 300 });
      const [set] = await statusOf(guest, served);
      expectEqual(set.main.path, target.path, 'the main device');
      await raw.expect(FILES_SECTORS, SAVED_SECTORS - FILES_SECTORS, 1);
      const lost = await lostPieces(raw);
      guest.say(`${lost} of ${PIECE_COUNT} pieces behind that are lost`);
      expect(lost > 0, 'something was not copied');
      await raw.writeAll(SAVED_SECTORS, SECTORS - SAVED_SECTORS, 2);
      await raw.expect(SAVED_SECTORS, SECTORS - SAVED_SECTORS, 2);
      await raw.close();
      const again = new FileLoad(directory, 2);
      await until('files are written', () => again.operationCount >= 30, 120);
      await again.stop();
      await unmount(guest, directory);
      await checkFileSystem(guest, 'ext4', files.path);
      await files.remove();
      await served.stop();
    },
  },
});

interface StatusOfSet {
  readonly main: { readonly path: string };
  readonly evacuation: { readonly copiedBytes: number } | null;
}

async function statusOf(guest: Guest, served: Served): Promise<[StatusOfSet]> {
  return JSON.parse((await dmremap(guest, ['status', served.path, '--json'])).stdout).sets;
}

async function copiedBytes(guest: Guest, served: Served): Promise<number> {
  return (await statusOf(guest, served))[0].evacuation?.copiedBytes ?? 0;
}

/** Each is as it was written, or an error as a whole or in part. */
async function lostPieces(raw: PatternFile): Promise<number> {
  let lost = 0;
  for (let piece = 0; piece < PIECE_COUNT; piece += 1) {
    const first = SAVED_SECTORS + piece * PIECE_SECTORS;
    const error = await raw.readError(first, PIECE_SECTORS);
    if (error === null) await raw.expect(first, PIECE_SECTORS, 1);
    else expectEqual(error, 'EIO', `sectors from ${first}`);
    if (error !== null) lost += 1;
  }
  return lost;
}

/** Writing behind `SAVED_SECTORS` takes so long that nothing is copied there before the disk dies. */
function slowBehind(device: string): string {
  const rest = SECTORS - SAVED_SECTORS;
  const slow = `delay ${device} ${SAVED_SECTORS} 0 ${device} ${SAVED_SECTORS} ${DELAY_MS}`;
  return `0 ${SAVED_SECTORS} linear ${device} 0\n${SAVED_SECTORS} ${rest} ${slow}\n`;
}

const DISK_MIB = 32;
const SECTORS = DISK_MIB * 2_048;
const FILES_SECTORS = 16 * 2_048;
const SAVED_SECTORS = 20 * 2_048;
const COPIED_BYTES = SAVED_SECTORS * 512;
const PIECE_SECTORS = 2_048;
const PIECE_COUNT = (SECTORS - SAVED_SECTORS) / PIECE_SECTORS;
const DELAY_MS = 30_000;
