import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from './cache-directory.js';

/** How QEMU runs the guest's instructions: by the processor, or translated. */
export type Accelerator = 'kvm' | 'tcg';

/**
 * KVM where it works. A /dev/kvm that can be opened is no proof: on some hosts (virtual machines themselves) a guest
 * hangs before its first message. So a kernel is booted for a moment, once per boot of the host.
 */
export async function accelerator(kernelImagePath: string): Promise<Accelerator> {
  if (!existsSync('/dev/kvm')) return 'tcg';
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const remembered = join(cacheDirectory, `accelerator-${bootId}`);
  if (existsSync(remembered)) return readFileSync(remembered, 'utf8') === 'kvm' ? 'kvm' : 'tcg';
  const found = (await speaksUnderKvm(kernelImagePath)) ? 'kvm' : 'tcg';
  mkdirSync(cacheDirectory, { recursive: true });
  writeFileSync(remembered, found);
  return found;
}

/** Without a root file system the kernel panics within a second: its first line is enough here. */
function speaksUnderKvm(kernelImagePath: string): Promise<boolean> {
  const machine = [
    '-accel',
    'kvm',
    '-cpu',
    'host',
    '-m',
    '256',
    '-nodefaults',
    '-display',
    'none',
    '-no-reboot',
  ];
  const boot = ['-serial', 'stdio', '-kernel', kernelImagePath, '-append', 'console=ttyS0 panic=-1'];
  const child = spawn('qemu-system-x86_64', [...machine, ...boot], { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve) => {
    const timer = setTimeout(() => answer(false), PROBE_LIMIT_MS);
    const answer = (works: boolean): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(works);
    };
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (said.includes('Linux version')) answer(true);
    });
    child.on('error', () => answer(false));
    child.on('exit', () => answer(false));
  });
}

const PROBE_LIMIT_MS = 6_000;
