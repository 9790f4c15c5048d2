import { createHash } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { xorshift } from './xorshift.js';

/** Writes reproducible bytes that repeat nowhere, with a hole of zeroes in the second quarter. */
export function writeRandomFile(path: string, sizeBytes: number, seed: number): void {
  const words = new Uint32Array(sizeBytes / 4);
  const next = xorshift(seed);
  const holeStart = words.length / 4;
  for (let index = 0; index < words.length; index += 1) {
    if (index < holeStart || index >= 2 * holeStart) words[index] = next();
  }
  writeFileSync(path, new Uint8Array(words.buffer));
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
