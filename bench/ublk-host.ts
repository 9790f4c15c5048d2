import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { installMissingPackages } from '../test/kernel/lab/host/packages.js';
import { makeWorkDirectory, removeStaleWorkDirectories } from '../test/kernel/lab/host/work-directory.js';
import { projectDirectory } from '../test/kernel/lab/project-directory.js';
import { DiskImages } from '../test/support/disk-images.js';
import { runTool } from '../test/support/run-tool.js';
import { fillFile } from './nbd-contenders.js';
import { plantRemaps } from './plant-remaps.js';
import type { UblkContenderName } from './ublk-contenders.js';
import type { UblkBenchOptions } from './ublk-options.js';

export interface HostParts {
  readonly peerPath: string;
  /** Has the images of a set with remaps; null unless it is wanted. */
  readonly remappedDirectory: string | null;
}

/** What is made outside of the machine, where it is quick: the peer is compiled, and a set gets its remaps. */
export async function prepareHost(
  options: UblkBenchOptions,
  contenders: readonly UblkContenderName[],
  note: (text: string) => void,
): Promise<HostParts> {
  installMissingPackages([
    ['nbdkit', 'nbdkit'],
    ['gcc', 'build-essential'],
  ]);
  removeStaleWorkDirectories();
  const peerPath = await compilePeer();
  if (!contenders.includes('ublk, ours, remaps')) return { peerPath, remappedDirectory: null };
  note(`making ${options.remapCount} remaps`);
  return { peerPath, remappedDirectory: await remappedSet(options) };
}

async function compilePeer(): Promise<string> {
  const directory = join(projectDirectory, 'node_modules/.cache/dm-remap-bench');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'ublk-peer');
  const source = join(projectDirectory, 'bench/ublk-peer.c');
  await runTool('gcc', ['-O2', '-Wall', '-Wextra', '-pthread', '-o', path, source]);
  return path;
}

/** The machine sees the host's /tmp, but not what is mounted below /dev. */
async function remappedSet({ sizeMiB, remapCount }: UblkBenchOptions): Promise<string> {
  const directory = makeWorkDirectory();
  // An end by a signal, too, takes the directory along.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  const sizeBytes = sizeMiB * 2 ** 20;
  const images = await DiskImages.create({
    mainBytes: sizeBytes,
    spareBytes: sizeBytes,
    directory,
    fillMain: (path) => fillFile(path, sizeBytes),
  });
  await plantRemaps(images, remapCount);
  return images.directory;
}
