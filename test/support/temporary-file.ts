import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A sparse file of zeroes in a directory of its own. */
export class TemporaryFile {
  readonly path: string;
  readonly #directory: string;

  /** `parent`: where the directory goes, which decides the file system. */
  constructor(sizeBytes: number, parent = tmpdir()) {
    this.#directory = mkdtempSync(join(parent, 'dmremap-test-'));
    this.path = join(this.#directory, 'image');
    const fd = openSync(this.path, 'wx');
    ftruncateSync(fd, sizeBytes);
    closeSync(fd);
  }

  truncate(sizeBytes: number): void {
    truncateSync(this.path, sizeBytes);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true });
  }
}

/** A directory in memory (tmpfs) on any ordinary Linux. */
export const MEMORY_DIRECTORY = '/dev/shm';
