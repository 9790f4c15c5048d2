import { createHash } from 'node:crypto';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { mapMemory } from '../../../../src/kernel/aligned-memory.js';
import { sectorCount } from './disks.js';
import { errorCode } from './error-code.js';

/** All of a device: a hash of it, with zeroes where it can't be read, and the sectors (512 bytes) that can't. */
export interface DeviceContents {
  readonly sha256: string;
  readonly failing: readonly number[];
}

/** Reads with O_DIRECT, sector by sector where a large read fails. `path`: below /dev. */
export async function deviceContents(path: string, sectors = sectorCount(path)): Promise<DeviceContents> {
  const file = await open(path, constants.O_RDONLY | constants.O_DIRECT);
  const memory = mapMemory(PIECE_SECTORS * SECTOR_BYTES);
  const hash = createHash('sha256');
  const failing: number[] = [];
  for (let first = 0; first < sectors; first += PIECE_SECTORS) {
    const bytes = memory.bytes.subarray(0, Math.min(PIECE_SECTORS, sectors - first) * SECTOR_BYTES);
    failing.push(...(await readPiece(file, bytes, first)));
    hash.update(bytes);
  }
  await file.close();
  memory.unmap();
  return { sha256: hash.digest('hex'), failing };
}

/** Answers with the sectors that fail. */
async function readPiece(file: FileHandle, bytes: Uint8Array, first: number): Promise<number[]> {
  if ((await errorCode(readAt(file, bytes, first))) === null) return [];
  const failing: number[] = [];
  for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
    const sector = bytes.subarray(at, at + SECTOR_BYTES);
    if ((await errorCode(readAt(file, sector, first + at / SECTOR_BYTES))) === null) continue;
    sector.fill(0);
    failing.push(first + at / SECTOR_BYTES);
  }
  return failing;
}

async function readAt(file: FileHandle, bytes: Uint8Array, sector: number): Promise<void> {
  const { bytesRead } = await file.read(bytes, 0, bytes.length, sector * SECTOR_BYTES);
  if (bytesRead !== bytes.length) throw new Error(`short read at sector ${sector}`);
}

const SECTOR_BYTES = 512;
const PIECE_SECTORS = 256;
