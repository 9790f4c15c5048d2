import {
  appendFileSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { diskPath } from '../lab/guest/disks.js';
import { dmremap } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { patienceMs } from '../lab/guest/patience.js';
import { tool } from '../lab/host/tool.js';
import { projectDirectory } from '../lab/project-directory.js';
import { type Lab, scenario } from '../lab/scenario.js';

export default scenario({
  name: 'boot-systemd',
  about:
    'A set enabled for boot is served by systemd before fstab is mounted, under stable names; its raw disk is left ' +
    'alone; crash, restart, one more spare and shutdown are in order.',
  kernels: ['6.12'],
  notInSuite: 'takes 6 minutes; the suite shall end in 30',
  init: 'systemd',
  processors: 1,
  disks: {
    main: { sizeMiB: 96 },
    spare: { sizeMiB: 16 },
    another: { sizeMiB: 16 },
    etc: { sizeMiB: 16 },
  },
  timeoutSeconds: 300,
  async host(lab: Lab) {
    tool('mkfs.ext4', ['-q', lab.diskImage('etc')]);
    const first = await lab.boot();
    await first.run('enable');
    await first.cutPower();

    const second = await lab.boot();
    await second.run('served');
    await second.run('crash');
    await second.run('restart');
    await second.run('anotherSpare');
    await second.run('mountByUuid');
    await second.powerOff();
    expectClean(lab);

    const third = await lab.boot();
    await third.run('served');
    await third.run('disable');
    await third.powerOff();
    expectClean(lab);
  },
  steps: { enable, served, crash, restart, anotherSpare, mountByUuid, disable },
});

/** As docs/boot.md has it: format, enable, fstab. The file system was on the raw disk before. */
async function enable(guest: Guest): Promise<void> {
  const [main, spare] = [diskPath('main'), diskPath('spare')];
  await guest.run(['mkfs.ext4', '-q', '-U', UUID, main]);
  await guest.run(['udevadm', 'settle']);
  expectEqual(realpathSync(BY_UUID), main, 'the raw disk has the link before');
  await dmremap(guest, ['format', '--main', main, '--spare', spare, '--name', 'other', '--yes']);
  const enabled = await dmremap(guest, ['boot', 'enable', 'attic', '--main', main, '--spare', spare]);
  expect(enabled.stderr.includes('/dev/disk/by-id/virtio-main'), `a stable name: ${enabled.stderr}`);
  const next = /^next: (.*)$/m.exec(enabled.stdout)?.[1] ?? '';
  await guest.run(['sh', '-c', next]);
  await expectNames(guest);

  appendFileSync('/etc/fstab', '/dev/dm-remap/attic  /mnt/attic  ext4  defaults  0 2\n');
  await guest.run(['systemctl', 'daemon-reload']);
  await guest.run(['systemctl', 'start', 'mnt-attic.mount']);
  writeDurably('/mnt/attic/before', 'before the cut');
  await persistEtc(guest);
}

/** After a boot: mounted from fstab, by the protected device. */
async function served(guest: Guest): Promise<void> {
  await expectNames(guest);
  const mount = await guest.run(['findmnt', '--noheadings', '--output', 'SOURCE', '/mnt/attic']);
  expectEqual(mount.stdout.trim(), realpathSync(PROTECTED), 'what is mounted');
  expectEqual(readFileSync('/mnt/attic/before', 'utf8'), 'before the cut', 'the file');
  const [service, mounted] = [await activeSince(guest, SERVICE), await activeSince(guest, 'mnt-attic.mount')];
  expect(service < mounted, `served at ${service} us, mounted at ${mounted} us`);
  const show = JSON.parse((await dmremap(guest, ['boot', 'show', '--json'])).stdout);
  expectEqual(
    [show.sets[0].filesCurrent, show.sets[0].startsAtBoot, show.sets[0].running],
    [true, true, true],
    'boot show',
  );
}

/** Killed under a mounted file system: nobody notices, and nothing is unmounted. */
async function crash(guest: Guest): Promise<void> {
  const mountedAt = await activeSince(guest, 'mnt-attic.mount');
  const writer = guest.start(['sh', '-c', WRITER]);
  await guest.run(['systemctl', 'kill', '--signal=KILL', SERVICE]);
  await until(guest, 'a restart', async () => Number(await property(guest, SERVICE, 'NRestarts')) === 1);
  await until(
    guest,
    'service again',
    async () => (await property(guest, SERVICE, 'ActiveState')) === 'active',
  );
  const { status } = await writer.finish(120);
  expectEqual(status, 0, `the writer: ${writer.stderr}`);
  expectEqual(await activeSince(guest, 'mnt-attic.mount'), mountedAt, 'mounted all the time since');
}

/** An upgrade: the old process refuses to stop while the file system is mounted, the new one takes over. */
async function restart(guest: Guest): Promise<void> {
  const mountedAt = await activeSince(guest, 'mnt-attic.mount');
  const before = await property(guest, SERVICE, 'MainPID');
  const writer = guest.start(['sh', '-c', WRITER]);
  const restarted = await guest.run(['systemctl', 'restart', SERVICE], { statuses: null });
  if (restarted.status !== 0) throw new Error(`${restarted.stderr}\n${await journal(guest)}`);
  expect((await property(guest, SERVICE, 'MainPID')) !== before, 'another process');
  const { status } = await writer.finish(120);
  expectEqual(status, 0, `the writer: ${writer.stderr}`);
  expectEqual(await activeSince(guest, 'mnt-attic.mount'), mountedAt, 'mounted all the time since');
  const processes = await guest.run(['pgrep', '--count', '--full', '^@dmremap']);
  expectEqual(processes.stdout.trim(), '1', 'processes that serve');
}

/** The files for boot follow: systemd restarts it with both spares, and the next boot starts it with them. */
async function anotherSpare(guest: Guest): Promise<void> {
  const added = await dmremap(guest, ['spare', 'add', diskPath('another'), '--set', PROTECTED, '--yes']);
  expect(added.stdout.includes('attic starts at boot with the devices that it has now'), added.stdout);
  const before = await property(guest, SERVICE, 'MainPID');
  await guest.run(['systemctl', 'kill', '--signal=KILL', SERVICE]);
  await until(
    guest,
    'service with both spares',
    async () =>
      (await property(guest, SERVICE, 'ActiveState')) === 'active' &&
      (await property(guest, SERVICE, 'MainPID')) !== before,
  );
  const status = JSON.parse((await dmremap(guest, ['status', PROTECTED, '--json'])).stdout);
  expectEqual(status.sets[0].spares.length, 2, 'spares of the set that systemd serves');
}

/** The line that was in fstab while the disk was used raw is right as it was. */
async function mountByUuid(guest: Guest): Promise<void> {
  writeFileSync('/etc/fstab', `UUID=${UUID}  /mnt/attic  ext4  defaults  0 2\n`);
  await persistEtc(guest);
}

async function disable(guest: Guest): Promise<void> {
  await guest.run(['umount', '/mnt/attic']);
  const early = await dmremap(guest, ['boot', 'disable', 'attic'], { statuses: [4] });
  expect(early.stderr.includes('systemctl disable --now'), early.stderr);
  await guest.run(['systemctl', 'disable', '--now', SERVICE]);
  await dmremap(guest, ['boot', 'disable', 'attic']);
  await guest.run(['udevadm', 'settle']);
  expectEqual(realpathSync(BY_UUID), diskPath('main'), 'the raw disk has the link again');
}

async function expectNames(guest: Guest): Promise<void> {
  await guest.run(['udevadm', 'settle']);
  const device = realpathSync(PROTECTED);
  expect(device.startsWith('/dev/ublkb'), device);
  expectEqual(realpathSync(BY_UUID), device, 'the link by UUID');
  const main = await udevOf(guest, diskPath('main'));
  expect(/^E: ID_FS_TYPE=dm_remap_member$/m.test(main), `type of the raw disk: ${main}`);
  expect(!/ID_FS_UUID|by-uuid/.test(main), `UUID of the raw disk: ${main}`);
  expect(/^S: disk\/by-id\/virtio-main$/m.test(main), `stable link of the raw disk: ${main}`);
  const spare = await udevOf(guest, diskPath('spare'));
  expect(/^E: UDISKS_IGNORE=1$/m.test(spare), `the spare: ${spare}`);
  const busy = await guest.run(['mount', '-t', 'ext4', diskPath('main'), '/mnt'], { statuses: null });
  expect(busy.status !== 0 && busy.stderr.includes('already mounted or'), `mounting it raw: ${busy.stderr}`);
}

async function udevOf(guest: Guest, path: string): Promise<string> {
  return (await guest.run(['udevadm', 'info', path])).stdout;
}

async function activeSince(guest: Guest, unit: string): Promise<number> {
  return Number(await property(guest, unit, 'ActiveEnterTimestampMonotonic'));
}

async function property(guest: Guest, unit: string, name: string): Promise<string> {
  return (await guest.run(['systemctl', 'show', '--value', `--property=${name}`, unit])).stdout.trim();
}

async function until(guest: Guest, what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + patienceMs(60);
  while (Date.now() < deadlineMs) {
    if (await isSo()) return;
    await guest.sleep(500);
  }
  throw new Error(`no ${what}\n${await journal(guest)}`);
}

async function journal(guest: Guest): Promise<string> {
  return (await guest.run(['journalctl', '--no-pager', `--unit=${SERVICE}`])).stdout;
}

function writeDurably(path: string, text: string): void {
  const fd = openSync(path, 'w');
  writeFileSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
}

/** The root file system is gone with the machine; the disk "etc" is not. */
async function persistEtc(guest: Guest): Promise<void> {
  const paths = ['dm-remap', 'systemd/system', 'udev/rules.d', 'fstab'];
  await guest.run(['cp', '-a', '--parents', ...paths, '/persistent-etc'], { directory: '/etc' });
  await guest.run(['sync', '--file-system', '/persistent-etc']);
}

/** What a shutdown in order leaves on the disks. */
function expectClean(lab: Lab): void {
  const header = tool('dumpe2fs', ['-h', lab.diskImage('main')]);
  expect(/^Filesystem state: +clean$/m.test(header), `the file system: ${header}`);
  expect(!header.includes('needs_recovery'), 'the journal is empty');
  const program = join(projectDirectory, 'bin/dmremap.js');
  const report = JSON.parse(tool(process.execPath, [program, 'inspect', lab.diskImage('spare'), '--json']));
  expectEqual(report.cleanShutdown, true, 'the set was stopped cleanly');
}

const PROTECTED = '/dev/dm-remap/attic';
const SERVICE = 'dm-remap@attic.service';
const UUID = '6f1d2a52-9f0e-4b53-9a5d-3f2f7c1f6a01';
const BY_UUID = `/dev/disk/by-uuid/${UUID}`;
/** For some seconds; ends with an error at the first that it gets. */
const WRITER =
  'for i in $(seq 40); do dd if=/dev/urandom of=/mnt/attic/w bs=64k count=4 conv=fsync status=none || exit 1; sleep 0.2; done';
