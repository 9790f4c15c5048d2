import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CopyPosition, MAX_PARTS, MIN_PART_BYTES } from '../format/copy-position.js';
import { decodeSuperblock, encodeSuperblock } from '../format/superblock-codec.js';
import { formatSpares } from './format-spares.js';
import { planMetadataRepair, repairMetadata } from './repair-metadata.js';

let directory: string;
let spare: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-repair-'));
  const main = join(directory, 'main');
  spare = join(directory, 'spare');
  for (const path of [main, spare]) {
    writeFileSync(path, '');
    truncateSync(path, 2 << 20);
  }
  await formatSpares({ main, spares: [spare] });
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Of the first copy, which the first superblock is in slot 1 of. */
function firstSuperblock() {
  const decoded = decodeSuperblock(new Uint8Array(readFileSync(spare)).subarray(4096, 8192));
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.value.superblock;
}

function recordCopying(): void {
  const image = new Uint8Array(readFileSync(spare));
  const copyPosition: CopyPosition = {
    copyId: new Uint8Array(16).fill(7),
    partBytes: MIN_PART_BYTES,
    settled: new Uint8Array(MAX_PARTS / 8).fill(1, 0, 1),
  };
  const superblock = { ...firstSuperblock(), copyPosition };
  for (const [index, { offsetBytes }] of superblock.copies.entries())
    encodeSuperblock(image.subarray(offsetBytes + 4096, offsetBytes + 8192), superblock, index);
  writeFileSync(spare, image);
}

function damageNote(): void {
  const image = readFileSync(spare);
  image[8192 + 10]! ^= 1;
  writeFileSync(spare, image);
}

it('A plan says that the superblock is written and the position of a copying is lost, as the repair does it', async () => {
  recordCopying();
  expect(await planMetadataRepair({ spares: [spare] })).toMatchObject({
    nothingToDo: true,
    updatesSuperblockTwice: false,
    forgetsCopying: false,
  });
  damageNote();
  const told = { nothingToDo: false, updatesSuperblockTwice: true, forgetsCopying: true, noteCopies: [0] };
  expect(await planMetadataRepair({ spares: [spare] })).toMatchObject(told);
  expect(await repairMetadata({ spares: [spare] })).toMatchObject({ ...told, check: { state: 'clean' } });
  const { copyPosition, sequence } = firstSuperblock();
  expect({ copyPosition, sequence }).toEqual({ copyPosition: undefined, sequence: 3 });
});

it('Without a copying that is recorded, mending a note writes nothing else', async () => {
  damageNote();
  const report = await planMetadataRepair({ spares: [spare] });
  expect(report).toMatchObject({ updatesSuperblockTwice: false, forgetsCopying: false, noteCopies: [0] });
});
