import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { ramDisks } from '../lab/guest/brd.js';
import { dmremap, type Served, type ServeOptions, serve } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import { checkFileSystem, makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { expectNoUblkDevice } from '../lab/guest/ublk-left-overs.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'stop-in-use',
  about:
    'A stop of a block device in use is refused and says why; a forced one ends it, with and without a server, and nothing hangs.',
  kernels: ['6.12'],
  timeoutSeconds: 600,
  // What a file system says whose device is taken away by force.
  expectedComplaints: [/EXT4-fs (error|warning)/, /JBD2: /],
  steps: {
    async main(guest) {
      const [main, spare] = await ramDisks(guest, 2, 16);
      await dmremap(guest, ['format', '--main', main!, '--spare', spare!, '--yes']);
      const options = { main: main!, spares: [spare!], frontend: 'ublk' } as const;
      const served = await serve(guest, options);
      await makeFileSystem(guest, 'ext4', served.path);
      await refusedWhileInUse(guest, served);
      await forcedWhileMounted(guest, served);
      await forcedWithoutServer(guest, options);
      await stoppedWithoutServer(guest, options);
      await replacedUnderItsArchive(guest, options);
      await noDevice(guest);
    },
  },
});

async function refusedWhileInUse(guest: Guest, served: Served): Promise<void> {
  guest.say('stop while mounted, and while a program has it open');
  const directory = await mount(guest, 'ext4', served.path);
  await expectRefusal(guest, served, `mounted at ${directory}`);
  served.program.kill('SIGTERM');
  while (!served.program.stderr.includes('stopRefused')) await guest.sleep(50);
  expect(served.program.stderr.includes(`mounted at ${directory}`), 'the log names the mount');
  writeFileSync(`${directory}/kept`, 'kept');
  await unmount(guest, directory);
  const fd = openSync(served.path, 'r');
  await expectRefusal(guest, served, `open in process ${process.pid}`);
  closeSync(fd);
}

async function expectRefusal(guest: Guest, served: Served, why: string): Promise<void> {
  const { status, stderr } = await dmremap(guest, ['stop', served.path], { statuses: null });
  expectEqual(status, REFUSED, 'status of dmremap stop');
  expect(stderr.includes(why), `the refusal says "${why}": ${stderr}`);
}

/** The server is there and goes too; who uses the device gets errors. */
async function forcedWhileMounted(guest: Guest, served: Served): Promise<void> {
  guest.say('forced stop while mounted');
  const directory = await mount(guest, 'ext4', served.path);
  writeFileSync(`${directory}/not-flushed`, 'gone');
  await dmremap(guest, ['stop', '--force', served.path]);
  await served.handedOver();
  expect(!existsSync(served.path), `${served.path} is gone`);
  await guest.run(['sync', '--file-system', directory], { statuses: null });
  await unmount(guest, directory);
  expectNoUblkDevice();
}

/** The server has died and does not come back; a program waits for its I/O. */
async function forcedWithoutServer(guest: Guest, options: ServeOptions): Promise<void> {
  guest.say('forced stop without a server');
  const served = await serve(guest, options);
  const directory = await checkedMount(guest, served);
  const file = await PatternFile.open(served.path);
  await served.crash();
  const reading = file.readError(0, 8);
  const syncing = guest.run(['sync', '--file-system', directory], { statuses: null });
  await guest.sleep(500);
  await expectRefusal(guest, served, `mounted at ${directory}`);
  await dmremap(guest, ['stop', '--force', served.path]);
  expect((await reading) !== null, 'I/O that waited ends with an error');
  expect((await syncing).status !== null, 'sync ends');
  await file.close();
  await unmount(guest, directory);
  expectNoUblkDevice();
}

/** What was there before the forced stop is there; the file system is as after a crash. */
async function checkedMount(guest: Guest, served: Served): Promise<string> {
  await checkFileSystem(guest, 'ext4', served.path);
  const directory = await mount(guest, 'ext4', served.path);
  expectEqual(readFileSync(`${directory}/kept`, 'utf8'), 'kept', 'a file from before');
  writeFileSync(`${directory}/waits`, 'for a server');
  return directory;
}

async function stoppedWithoutServer(guest: Guest, options: ServeOptions): Promise<void> {
  guest.say('stop without a server, nobody uses it');
  const served = await serve(guest, options);
  await served.crash();
  await dmremap(guest, ['stop', served.path]);
  expectNoUblkDevice();
}

/** The archive of the map lies on the device itself, and has something to write when the device is taken over. */
async function replacedUnderItsArchive(guest: Guest, options: ServeOptions): Promise<void> {
  guest.say('taken over while its archive lies on itself');
  const faults = '/run/lab/bad-writes.yaml';
  writeFileSync(faults, 'main:\n  - { sectors: "4096-28671", on: [write], error: ENODATA }\n');
  const archive = '/run/lab/mnt-dev-ublkb0/archive';
  const served = await serve(guest, { ...options, further: ['--faults', faults, '--archive', archive] });
  const directory = await mount(guest, 'ext4', served.path);
  expect(archive.startsWith(directory), `${archive} is in ${directory}`);
  const ending = new AbortController();
  const writing = writeUntil(ending.signal, `${directory}/growing`);
  await guest.sleep(2000);
  const next = await serve(guest, { ...options, further: ['--take-over'] });
  await served.handedOver();
  ending.abort();
  await writing;
  expect(readdirSync(archive).length > 0, 'there are texts of the map');
  await unmount(guest, directory);
  await next.stop();
}

/** Every write goes to a block that was not written before, so that the map changes all the time. */
async function writeUntil(signal: AbortSignal, path: string): Promise<void> {
  const file = await open(path, 'w');
  for (let block = 0; !signal.aborted && block < 1500; block += 1) {
    await file.write(Buffer.alloc(4096, block), 0, 4096, block * 4096);
    await file.datasync();
  }
  await file.close();
}

async function noDevice(guest: Guest): Promise<void> {
  const { stderr } = await dmremap(guest, ['stop', '/dev/ublkb0'], { statuses: [REFUSED] });
  expect(stderr.includes('/dev/ublkb0'), `the message names the device: ${stderr}`);
}

/** docs/exit-codes.md. */
const REFUSED = 4;
