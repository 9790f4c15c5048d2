import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DiskImages } from '../test/support/disk-images.js';
import { missingTools } from '../test/support/run-tool.js';
import type { NbdBenchOptions } from './nbd-options.js';
import type { BenchServer } from './nbd-servers.js';
import { ours, peers } from './nbd-servers.js';
import { plantRemaps } from './plant-remaps.js';

/** Our server without and with many remaps, and the peers that are installed; `note` is told what is left out. */
export async function prepareContenders(
  options: NbdBenchOptions,
  directory: string,
  note: (text: string) => void,
): Promise<Contenders> {
  const own: BenchServer[] = [];
  for (const remapCount of [0, MANY_REMAPS]) {
    const name = remapCount === 0 ? 'ours' : `ours, ${remapCount} remaps`;
    if (options.servers.test(name)) own.push(await prepareOurs(name, remapCount, options, directory, note));
  }
  return { own, peers: installedPeers(options, directory, note) };
}

export interface Contenders {
  readonly own: readonly BenchServer[];
  readonly peers: readonly BenchServer[];
}

const MANY_REMAPS = 100_000;
const SPARE_BYTES = 768 << 20;
const FILL_BYTES = 16 << 20;

async function prepareOurs(
  name: string,
  remapCount: number,
  options: NbdBenchOptions,
  directory: string,
  note: (text: string) => void,
): Promise<BenchServer> {
  const images = await DiskImages.create({
    mainBytes: options.sizeBytes,
    spareBytes: SPARE_BYTES,
    directory,
    fillMain: (path) => fillFile(path, options.sizeBytes),
  });
  if (remapCount > 0) {
    note(`making ${remapCount} remaps`);
    await plantRemaps(images, remapCount);
  }
  return ours(name, images);
}

function installedPeers(
  options: NbdBenchOptions,
  directory: string,
  note: (text: string) => void,
): readonly BenchServer[] {
  const filePath = join(directory, 'peer.img');
  fillFile(filePath, options.sizeBytes);
  return peers(filePath, directory).filter((peer) => {
    if (!options.servers.test(peer.name)) return false;
    const missing = peer.tool === undefined ? [] : missingTools([peer.tool]);
    for (const line of missing) note(`left out: ${line}`);
    return missing.length === 0;
  });
}

/** Random contents, so that no server can take a short cut for zeroes or holes. */
export function fillFile(path: string, sizeBytes: number): void {
  const file = openSync(path, 'w');
  const contents = randomBytes(FILL_BYTES);
  for (let offset = 0; offset < sizeBytes; offset += FILL_BYTES) {
    writeSync(file, contents, 0, Math.min(FILL_BYTES, sizeBytes - offset), offset);
  }
  closeSync(file);
}
