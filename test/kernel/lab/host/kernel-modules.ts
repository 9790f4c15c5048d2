import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tool } from './tool.js';

/**
 * Copies the modules a scenario may want from an unpacked package and decompresses them: the guest would need
 * seconds for it under emulation.
 */
export function keepUsefulModules(from: string, to: string): void {
  const paths = (readdirSync(join(from, 'kernel'), { recursive: true }) as string[])
    .filter((path) => /\.ko(\.\w+)?$/.test(path))
    .filter((path) => USEFUL.some((pattern) => pattern.test(path)));
  for (const path of paths) copy(join(from, 'kernel', path), join(to, 'kernel', path));
  for (const file of readdirSync(from)) {
    if (file.startsWith('modules.')) copy(join(from, file), join(to, file));
  }
  const compressed = paths.filter((path) => path.endsWith('.xz')).map((path) => join(to, 'kernel', path));
  if (compressed.length > 0)
    tool('xargs', ['-0', '-n', '50', '-P', '2', 'xz', '-d'], { input: compressed.join('\0') });
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

/** Below `kernel/`. Whole folders, so that what a module depends on comes along; host adapters and the like don't. */
const USEFUL = [
  /^drivers\/(block|md|nvme|virtio|dax|nvdimm|target|char\/hw_random)\//,
  /^drivers\/scsi\/(scsi_|sd_mod|sg|ses|virtio_scsi|scsi_debug)/,
  /^fs\/(9p|netfs|overlayfs|ext4|jbd2|xfs|btrfs|configfs|f2fs|isofs|fat|exfat|nls|fscache|cachefiles)\//,
  /^fs\/[^/]+\.ko/,
  /^(crypto|lib|block|arch\/x86\/crypto|net\/9p)\//,
];
