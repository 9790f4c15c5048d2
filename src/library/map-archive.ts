import { setTimeout as delay } from 'node:timers/promises';
import { withoutOutdone } from '../device/outdone-places.js';
import { formatDump } from '../device/set-dump.js';
import type { Descriptor } from '../format/descriptor-page.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { formatUuid } from '../format/set-id.js';
import type { Superblock } from '../format/superblock.js';
import type { DeviceNotice } from '../runtime/device-report.js';
import { type MapSnapshot, unpackEntries } from '../runtime/map-changes.js';
import { ArchiveDirectory } from './archive-directory.js';
import type { ThreadClient } from './thread-client.js';

/** Archives the map of a device that was just opened, now and whenever it changes, until `end`. */
export async function startArchive(
  directory: string,
  client: ThreadClient,
  tell: (notice: DeviceNotice) => void,
): Promise<MapArchive> {
  const snapshot = (await client.call({ verb: 'watchMap' })) as MapSnapshot;
  const archive = new MapArchive(new ArchiveDirectory(directory), snapshot, tell);
  client.onMapChanged = (generation, entries) => archive.change(generation, entries);
  return archive;
}

/**
 * Keeps a copy of the map and writes it to a directory as text that `metadata restore` takes. On the main thread: no
 * request waits for it, and what it can't write is told and tried again with the next change. Changes that come within a
 * moment share a file.
 */
export class MapArchive {
  readonly #directory: ArchiveDirectory;
  readonly #tell: (notice: DeviceNotice) => void;
  readonly #units = new Map<number, Readonly<Descriptor>>();
  readonly #pauseMs: number;
  #superblock: Superblock;
  #hasChanged = true;
  #isFailing = false;
  #isEnding = false;
  #writing: Promise<void> | undefined;
  readonly #ending = new AbortController();

  constructor(
    directory: ArchiveDirectory,
    { superblock, entries }: MapSnapshot,
    tell: (notice: DeviceNotice) => void,
    pauseMs = GATHERING_MS,
  ) {
    this.#directory = directory;
    this.#superblock = superblock;
    this.#tell = tell;
    this.#pauseMs = pauseMs;
    for (const [unit, descriptor] of unpackEntries(entries)) this.#units.set(unit, descriptor);
    this.#writing = this.#write();
  }

  change(generation: number, entries: Float64Array): void {
    this.#superblock = { ...this.#superblock, generation };
    for (const [unit, descriptor] of unpackEntries(entries)) {
      if (descriptor.state === DescriptorState.free) this.#units.delete(unit);
      else this.#units.set(unit, descriptor);
    }
    this.#hasChanged = true;
    this.#writing ??= this.#write();
  }

  /** What has changed is on disk, if that is possible. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#ending.abort();
    await this.#writing;
    if (this.#hasChanged) await this.#writeOnce();
  }

  async #write(): Promise<void> {
    while (this.#hasChanged && !this.#isEnding) {
      const before = performance.now();
      await this.#writeOnce();
      // A large map takes long to write: it may take a tenth of the time.
      const tookMs = performance.now() - before;
      await this.#pause(Math.max(this.#pauseMs, 9 * tookMs));
    }
    this.#writing = undefined;
  }

  async #pause(pauseMs: number): Promise<void> {
    try {
      await delay(pauseMs, undefined, { signal: this.#ending.signal, ref: false });
    } catch {
      // The end does not wait.
    }
  }

  async #writeOnce(): Promise<void> {
    this.#hasChanged = false;
    const superblock = this.#superblock;
    const entries = withoutOutdone(this.#units);
    const name = { setId: formatUuid(superblock.setId), generation: superblock.generation };
    const problem = await this.#directory.add(name, formatDump({ superblock, entries, lostPages: [] }));
    if (problem !== undefined && !this.#isFailing) {
      const message = `${problem}; the map is safe on the spares, but it is not archived`;
      this.#tell({ level: 'warn', event: 'archiveFailed', message, details: {} });
    }
    this.#isFailing = problem !== undefined;
  }
}

/** Bad sectors come in rows. */
const GATHERING_MS = 1000;
