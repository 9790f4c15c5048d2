import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectDirectory } from '../project-directory.js';
import type { Accelerator } from './accelerator.js';
import type { Disk } from './disk.js';
import { clockParameters } from './guest-clock.js';
import type { Kernel } from './kernel.js';

export interface Hardware {
  readonly kernel: Kernel;
  readonly accelerator: Accelerator;
  readonly memoryMiB: number;
  readonly processors: number;
  readonly disks: readonly Disk[];
  /** Unpacked packages of systemd, which then is process 1 and starts the agent. */
  readonly systemdFiles?: string | undefined;
}

/** What runs inside: the agent, which the host talks to over this socket, or a shell on the console. */
export type Inside = { readonly kind: 'agent'; readonly socketPath: string } | { readonly kind: 'shell' };

/** The command that is a machine. Its standard output is the serial console. */
export function qemuCommand(hardware: Hardware, inside: Inside): string[] {
  const { kernel, accelerator, memoryMiB, processors } = hardware;
  return [
    // Whatever happens to the laboratory, the machine goes with it.
    ...['setpriv', '--pdeathsig', 'KILL', '--', 'qemu-system-x86_64'],
    ...['-machine', 'q35', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...(accelerator === 'kvm'
      ? ['-accel', 'kvm', '-cpu', 'host']
      : ['-accel', 'tcg,thread=multi', '-cpu', EMULATED_CPU]),
    ...['-m', String(memoryMiB), '-smp', String(processors)],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-kernel', kernel.imagePath, '-initrd', kernel.initramfsPath],
    ...['-append', kernelParameters(hardware, inside)],
    ...sharedFolder('/', 'host'),
    ...(hardware.systemdFiles === undefined ? [] : sharedFolder(hardware.systemdFiles, 'layer')),
    ...['-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci', '-device', 'virtio-scsi-pci,id=scsi'],
    ...(inside.kind === 'agent' ? agentPort(inside.socketPath) : []),
    ...hardware.disks.flatMap(diskArguments),
  ];
}

function sharedFolder(path: string, tag: string): string[] {
  return ['-virtfs', `local,path=${path},mount_tag=${tag},security_model=none,readonly=on,multidevs=remap`];
}

function kernelParameters({ kernel, systemdFiles }: Hardware, inside: Inside): string {
  const start = systemdFiles === undefined ? 'start.sh' : 'start-systemd.sh';
  const words = [
    'console=ttyS0 panic=-1 loglevel=5 mitigations=off printk.devkmsg=on',
    // A busy host stops a processor of the guest for seconds; a real lock-up lasts.
    'watchdog_thresh=60 workqueue.watchdog_thresh=120',
    clockParameters(),
    // Pages are cleared when they are handed out, under emulation byte by byte: see EMULATED_CPU.
    'init_on_alloc=0',
    `lab.start=${join(projectDirectory, 'test/kernel/lab/guest', start)}`,
    `lab.modules=${kernel.modulesDirectory}`,
    `lab.directory=${projectDirectory}`,
  ];
  if (systemdFiles !== undefined) words.push('lab.layer=1');
  if (inside.kind === 'agent') words.push(`lab.agent=${agentPath}`);
  return words.join(' ');
}

function agentPort(socketPath: string): string[] {
  return [
    ...['-chardev', `socket,id=agent,path=${socketPath}`],
    ...['-device', 'virtserialport,chardev=agent,name=lab'],
  ];
}

function diskArguments({ name, options, source }: Disk): string[] {
  const block = options.logicalBlockBytes ?? 512;
  // The guest's flushes end in QEMU: killing it loses nothing that the host's page cache has. A volatile disk has its own cache.
  const cache = options.isVolatile ? 'writeback' : 'unsafe';
  const discard = options.isVolatile ? '' : ',discard=unmap';
  const drive = `if=none,id=${name},format=raw,cache=${cache}${discard},file=${source}`;
  const sizes = `logical_block_size=${block},physical_block_size=${Math.max(block, 512)}`;
  const device =
    options.bus === 'scsi'
      ? `scsi-hd,bus=scsi.0,drive=${name},serial=${name},${sizes}`
      : `virtio-blk-pci,drive=${name},serial=${name},${sizes}${options.isVolatile ? VIRTIO_WITHOUT_DISCARD : ''}`;
  return ['-drive', drive, '-device', device];
}

/**
 * Without "rep stosb" and "rep movsb": in a page that once held code (the kernel's start-up code, which is given back)
 * the emulator takes some milliseconds for each byte that they write, so that clearing a page takes minutes. A machine whose
 * memory runs short uses those pages as well.
 */
const EMULATED_CPU = 'max,-erms,-fsrm';

const VIRTIO_WITHOUT_DISCARD = ',discard=off,write-zeroes=off';

const agentPath = join(dirname(fileURLToPath(import.meta.url)), '../guest/agent.js');
