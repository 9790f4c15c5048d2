import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelName } from '../kernel-name.js';
import { cacheDirectory, fillOnce } from './cache-directory.js';
import { initramfsOf } from './initramfs.js';
import { keepUsefulModules } from './kernel-modules.js';
import { unpackKernelPackage } from './kernel-package.js';
import { tool } from './tool.js';

/** What a machine needs to boot a kernel. */
export interface Kernel {
  readonly name: KernelName;
  readonly imagePath: string;
  readonly initramfsPath: string;
  /** Modules, decompressed, with their `modules.dep`; the guest sees them as its /usr/lib/modules/RELEASE. */
  readonly modulesDirectory: string;
}

/** Downloads a kernel on its first use; later it comes from the cache, which is never refreshed by itself. */
export async function kernel(name: KernelName): Promise<Kernel> {
  const directory = join(cacheDirectory, 'kernels', `${name}-${CACHE_LAYOUT}`);
  if (!existsSync(directory)) {
    console.log(`laboratory: fetching kernel ${name} into ${cacheDirectory}`);
    await fillOnce(directory, async (unfinished) => fetchKernel(name, unfinished));
  }
  const release = readdirSync(join(directory, MODULES))[0]!;
  const modulesDirectory = join(directory, MODULES, release);
  return {
    name,
    imagePath: join(directory, 'vmlinuz'),
    initramfsPath: await initramfsOf(directory, modulesDirectory),
    modulesDirectory,
  };
}

function fetchKernel(name: KernelName, directory: string): void {
  const unpacked = join(directory, 'unpacked');
  const packageName = unpackKernelPackage(name, unpacked);
  const release = packageName.replace('linux-image-', '');
  const modules = ['usr/lib/modules', 'lib/modules']
    .map((folder) => join(unpacked, folder, release))
    .find((folder) => existsSync(folder));
  if (modules === undefined) throw new Error(`${packageName} holds no modules`);
  keepUsefulModules(modules, join(directory, MODULES, release));
  tool('depmod', ['-b', directory, release]);
  renameSync(join(unpacked, 'boot', `vmlinuz-${release}`), join(directory, 'vmlinuz'));
  renameSync(join(unpacked, 'boot', `config-${release}`), join(directory, 'config'));
  rmSync(unpacked, { recursive: true });
  writeFileSync(join(directory, 'package.txt'), `${packageName}\n`);
}

/** Changes with what `fetchKernel` leaves in a folder, so that folders of an earlier one aren't used. */
const CACHE_LAYOUT = 1;

/** Where depmod looks for them below a root directory. */
const MODULES = 'lib/modules';
