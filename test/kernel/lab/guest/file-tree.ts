import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { xorshift } from '../../../support/xorshift.js';

export interface TreeOptions {
  readonly seed: number;
  readonly fileCount: number;
  /** Files have 0 bytes to this. */
  readonly maxFileBytes: number;
}

/** Makes files with contents out of the seed, some folders deep; the same seed gives the same tree. */
export function makeTree(root: string, { seed, fileCount, maxFileBytes }: TreeOptions): void {
  const random = xorshift(seed);
  for (let index = 0; index < fileCount; index++) {
    const path = join(root, `d${index % 7}`, `d${index % 3}`, `f${index}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, randomBytes(random, random() % (maxFileBytes + 1)));
  }
}

/** SHA-256 over names and contents of all files below a directory. */
export function treeChecksum(root: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files)
    hash
      .update(`${file.slice(root.length)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
}

function randomBytes(random: () => number, lengthBytes: number): Buffer {
  const words = new Uint32Array(Math.ceil(lengthBytes / 4)).map(() => random());
  return Buffer.from(words.buffer, 0, lengthBytes);
}
