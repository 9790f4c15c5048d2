import { spawnSync } from 'node:child_process';
import type { KernelName } from '../kernel-name.js';
import { accelerator } from './accelerator.js';
import { plainDisk } from './disk.js';
import { kernel } from './kernel.js';
import { qemuCommand } from './qemu-command.js';
import { makeWorkDirectory } from './work-directory.js';

/** An interactive shell inside a machine with two empty disks, until it is left with `exit`. */
export async function shell(name: KernelName): Promise<void> {
  const chosen = await kernel(name);
  const workDirectory = makeWorkDirectory();
  const disks = [
    plainDisk('main', { sizeMiB: 1024 }, workDirectory),
    plainDisk('spare', { sizeMiB: 256 }, workDirectory),
  ];
  const hardware = {
    kernel: chosen,
    accelerator: await accelerator(chosen.imagePath),
    memoryMiB: 1024,
    processors: 2,
    disks,
  };
  const [program, ...args] = qemuCommand(hardware, { kind: 'shell' });
  console.log('laboratory: main disk /dev/vda, spare /dev/vdb; leave with "exit"');
  spawnSync(program!, args, { stdio: 'inherit' });
}
