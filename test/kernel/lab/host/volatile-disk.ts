import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskOptions } from '../scenario.js';
import { type Disk, makeImage } from './disk.js';
import { serveDisk } from './nbd-disk-server.js';
import { VolatileCache } from './volatile-cache.js';

export interface PowerLossSurroundings {
  /** Numbers from 0 to `limit` - 1. */
  random(limit: number): number;
  say(text: string): void;
}

/** A disk with a write cache that a power cut hurts. QEMU reaches it over a unix socket of this process. */
export async function volatileDisk(
  name: string,
  options: DiskOptions,
  directory: string,
  { random, say }: PowerLossSurroundings,
): Promise<Disk> {
  const imagePath = join(directory, `${name}.img`);
  const currentPath = join(directory, `${name}.current`);
  for (const path of [imagePath, currentPath]) makeImage(path, options.sizeMiB);
  const fds = [openSync(imagePath, 'r+'), openSync(currentPath, 'r+')] as const;
  const blockBytes = options.logicalBlockBytes ?? 512;
  const cache = new VolatileCache(...fds, blockBytes);
  const socketPath = join(directory, `${name}.sock`);
  const sizeBytes = options.sizeMiB * (1 << 20);
  const server = await serveDisk(
    {
      sizeBytes,
      blockBytes,
      read: (offsetBytes, lengthBytes) => cache.read(offsetBytes, lengthBytes),
      write: (offsetBytes, data, durable) => cache.write(offsetBytes, data, durable),
      flush: () => cache.flush(),
    },
    socketPath,
  );
  const connections = new Set<Promise<unknown>>();
  server.on('connection', (socket) => {
    const closed = once(socket, 'close');
    connections.add(closed);
    closed.then(() => connections.delete(closed));
  });
  return {
    name,
    options,
    imagePath,
    source: `nbd+unix:///?socket=${socketPath}`,
    async powerLost() {
      // What QEMU had sent before it was killed has reached the disk.
      await Promise.all(connections);
      const { lost, kept, torn } = cache.powerLost(random);
      say(`power cut: the cache of ${name} lost ${lost} writes, kept ${kept}, tore ${torn}`);
    },
    async powerOff() {
      await Promise.all(connections);
      cache.flush();
    },
    async close() {
      server.close();
      for (const fd of fds) closeSync(fd);
    },
  };
}
