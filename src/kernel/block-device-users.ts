import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { deviceMajor, deviceMinor } from './device-number.js';
import { sysfsBlockDevice } from './sysfs-block-device.js';

/**
 * Who uses a block device, in words for a person; empty when nobody does. Looks for mounts, swap, devices stacked on
 * it, and processes that have it open (other users' only as root), and asks the kernel for whoever else holds it. A
 * device that is not there, because its server never got as far as starting it, has no users. Where one can't look,
 * it counts as used.
 */
export function blockDeviceUsers(path: string): string[] {
  try {
    return usersOf(path);
  } catch (error) {
    return [`perhaps in use: ${(error as Error).message}`];
  }
}

function usersOf(path: string): string[] {
  const rdev = statSync(path, { throwIfNoEntry: false })?.rdev;
  if (rdev === undefined) return [];
  const number = `${deviceMajor(rdev)}:${deviceMinor(rdev)}`;
  const users = [...mountsOf(number), ...swapsOn(rdev), ...holdersOf(rdev), ...openersOf(path)];
  if (users.length === 0 && isHeld(path)) users.push('held by the kernel');
  return users;
}

/** proc(5), mountinfo: the third field is the device number, the fifth the mount point. */
function mountsOf(number: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const fields = lines.map((line) => line.split(' ')).filter((line) => line[2] === number);
  return fields.map((line) => `mounted at ${line[4]}`);
}

function swapsOn(rdev: number): string[] {
  // A kernel without swap has no such file.
  if (!existsSync('/proc/swaps')) return [];
  const paths = readFileSync('/proc/swaps', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/)[0] ?? '');
  const isHere = (path: string) => statSync(path, { throwIfNoEntry: false })?.rdev === rdev;
  return paths.filter((path) => path !== '' && isHere(path)).map(() => 'used as swap');
}

function holdersOf(rdev: number): string[] {
  const device = sysfsBlockDevice(deviceMajor(rdev), deviceMinor(rdev));
  if (device === null) return [];
  const names = namesIn(`${device.directory}/holders`);
  return names.map((name) => `in use by /dev/${name}`);
}

function openersOf(path: string): string[] {
  const isProcess = (name: string) => /^\d+$/.test(name) && Number(name) !== process.pid;
  return namesIn('/proc')
    .filter(isProcess)
    .filter((pid) => hasOpen(pid, path))
    .map((pid) => `open in process ${pid} (${commandOf(pid)})`);
}

function hasOpen(pid: string, path: string): boolean {
  return namesIn(`/proc/${pid}/fd`).some((fd) => linkTarget(`/proc/${pid}/fd/${fd}`) === path);
}

/** Processes end and descriptors are closed while one looks. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    return passingOnly(error, []);
  }
}

function linkTarget(link: string): string {
  try {
    return readlinkSync(link);
  } catch (error) {
    return passingOnly(error, '');
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch (error) {
    return passingOnly(error, 'ended');
  }
}

function passingOnly<Value>(error: unknown, value: Value): Value {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return value;
  throw error;
}

/** O_EXCL without O_CREAT on a block device: EBUSY if anybody has claimed it. It may go away while one looks. */
function isHeld(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_EXCL));
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EBUSY') return true;
    if (code === 'ENOENT' || code === 'ENXIO') return false;
    throw error;
  }
}
