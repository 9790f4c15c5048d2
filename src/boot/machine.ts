import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mountPointOf, mountsOf } from './mount-point.js';
import type { ProgramPaths } from './shared-files.js';

/** What is asked of the running system when a set is prepared for boot; tests hand in their own. */
export interface Machine {
  readonly paths: ProgramPaths;
  /** Where its files are. */
  readonly root: string;
  /** undefined: no block device is called so. Links are all that udev has given it, without `/dev/`. */
  blockDevice(
    path: string,
  ):
    | { readonly kernelName: string; readonly isPartition: boolean; readonly links: readonly string[] }
    | undefined;
  /** Whether a file is there as soon as the root file system is (or /usr, which the initramfs mounts). */
  isOnRootFileSystem(path: string): boolean;
  /** Where the file system of this type on a block device is mounted; undefined: nowhere. */
  mountPointOf(path: string, type: string): string | undefined;
  /** Runs a program of the system; its exit status, or null where it can't be run. */
  run(command: string, args: readonly string[]): { readonly status: number | null; readonly output: string };
  /** What a program prints, which may look at a whole disk first, whatever its exit status; undefined: it is not there. */
  outputOf(command: string, args: readonly string[]): string | undefined;
}

export const thisMachine: Machine = {
  paths: { node: process.execPath, program: fileURLToPath(new URL('../../bin/dmremap.js', import.meta.url)) },
  root: '/',

  blockDevice(path) {
    if (statSync(path, { throwIfNoEntry: false })?.isBlockDevice() !== true) return undefined;
    const kernelName = basename(realpathSync(path));
    const { output } = run('udevadm', ['info', '--query=symlink', `--name=${path}`]);
    return {
      kernelName,
      isPartition: existsSync(`/sys/class/block/${kernelName}/partition`),
      links: output.split(/\s+/).filter((link) => link !== ''),
    };
  },

  isOnRootFileSystem(path) {
    if (!existsSync(path)) return false;
    const point = mountPointOf(realpathSync(path), readFileSync('/proc/self/mountinfo', 'utf8'));
    return point === '/' || point === '/usr';
  },

  mountPointOf(path, type) {
    const device = realpathSync(path);
    const isThis = (source: string): boolean => existsSync(source) && realpathSync(source) === device;
    const mounts = mountsOf(type, readFileSync('/proc/self/mountinfo', 'utf8'));
    return mounts.find(({ source }) => isThis(source))?.point;
  },

  run,
  outputOf,
};

function run(command: string, args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
  return { status, output: status === 0 ? stdout : '' };
}

function outputOf(command: string, args: readonly string[]): string | undefined {
  const { stdout, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: MAX_OUTPUT_BYTES });
  const isThere = (error as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT';
  return isThere ? (stdout ?? '') : undefined;
}

const MAX_OUTPUT_BYTES = 256 << 20;
/** udevadm waits for a disk that may answer late; nobody wants to wait longer. */
const TIMEOUT_MS = 60_000;
