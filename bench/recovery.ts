import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../src/base/assert.js';
import { type AssembledSet, assembleSet } from '../src/device/assemble-set.js';
import {
  DescriptorReason,
  DescriptorState,
  sealPage,
  writeDescriptor,
} from '../src/format/descriptor-page.js';
import {
  DESCRIPTORS_PER_PAGE,
  descriptorOffsetBytes,
  METADATA_PAGE_BYTES,
  pageOffsetBytes,
  superblockOffsetBytes,
} from '../src/format/layout.js';
import { reservedUnitRanges } from '../src/format/reserved-units.js';
import { slotOf } from '../src/format/superblock.js';
import { encodeSuperblock } from '../src/format/superblock-codec.js';
import { formatSpares } from '../src/library/format-spares.js';
import { OfflineSession } from '../src/runtime/offline-session.js';

/** How long it takes to put a set with a million remaps together from its five copies, and what it takes in memory. */
export async function recoveryBench(args: string[]): Promise<number> {
  const json = args.includes('--json');
  const directory = mkdtempSync('/dev/shm/dmr-bench-');
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const sparePath = await makeSet(directory);
  const milliseconds: number[] = [];
  let tableBytes = 0;
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const startedAt = performance.now();
    const set = await assemble(sparePath);
    milliseconds.push(performance.now() - startedAt);
    assert(set.table.mappedCount === REMAP_COUNT, 'every remap is there');
    tableBytes = (set.table.shared.byteLength / set.shape.spareUnitCount) * REMAP_COUNT;
  }
  const median = milliseconds.sort((one, other) => one - other)[Math.floor(REPEATS / 2)]!;
  const bytesPerRemap = tableBytes / REMAP_COUNT;
  const report = { version: 1, remaps: REMAP_COUNT, recoveryMs: Math.round(median), bytesPerRemap };
  const text = `${REMAP_COUNT} remaps, 5 copies: recovered in ${report.recoveryMs} ms (median of ${REPEATS}); ${bytesPerRemap.toFixed(1)} bytes of memory per spare unit`;
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${text}\n`);
  return 0;
}

const REMAP_COUNT = 1_000_000;
const REPEATS = 5;
const MAIN_BYTES = 8 * 2 ** 30;
const SPARE_BYTES = 5 * 2 ** 30;

async function makeSet(directory: string): Promise<string> {
  const [main, spare] = [join(directory, 'main.img'), join(directory, 'spare.img')];
  for (const [path, sizeBytes] of [[main, MAIN_BYTES] as const, [spare, SPARE_BYTES] as const]) {
    writeFileSync(path, '');
    truncateSync(path, sizeBytes);
  }
  await formatSpares({ main, spares: [spare] });
  writeRemaps(spare, await assemble(spare));
  return spare;
}

async function assemble(sparePath: string): Promise<AssembledSet> {
  const session = OfflineSession.open([{ path: sparePath, readOnly: true }]);
  assert(session.ok, 'the spare can be opened');
  const { memory, bufferOffset, geometries } = session.value;
  const devices = geometries.map((geometry, target) => ({ target, ...geometry }));
  const input = { main: undefined, devices, force: false, memory, bufferOffset };
  const set = await session.value.run(assembleSet(input));
  session.value.close();
  assert(set.ok, 'the set can be put together');
  return set.value;
}

/** Straight to the image, as the device would have left it; scattered over the main device. */
function writeRemaps(sparePath: string, { choice, shape }: AssembledSet): void {
  const { superblock } = choice;
  const reserved = new Uint8Array(shape.spareUnitCount);
  for (const { firstUnit, unitCount } of reservedUnitRanges(superblock)) {
    reserved.fill(1, firstUnit, firstUnit + unitCount);
  }
  const mainUnitCount = MAIN_BYTES / superblock.unitBytes;
  const file = openSync(sparePath, 'r+');
  const page = new Uint8Array(METADATA_PAGE_BYTES);
  const view = new DataView(page.buffer);
  let written = 0;
  let pageIndex = 0;
  for (; written < REMAP_COUNT; pageIndex += 1) {
    page.fill(0);
    const firstUnit = pageIndex * DESCRIPTORS_PER_PAGE;
    for (let spareUnit = firstUnit; spareUnit < firstUnit + DESCRIPTORS_PER_PAGE; spareUnit += 1) {
      if (reserved[spareUnit] === 1 || written === REMAP_COUNT) continue;
      const mapped = { state: DescriptorState.mapped, mainUnit: (written * 7919) % mainUnitCount };
      const rest = {
        lostMask: 0,
        timeSeconds: 1,
        errorCount: 0,
        moveCount: 0,
        reason: DescriptorReason.writeError,
      };
      writeDescriptor(view, descriptorOffsetBytes(spareUnit), { ...mapped, ...rest });
      written += 1;
    }
    for (const [copyIndex, copy] of superblock.copies.entries()) {
      sealPage(page, { setId: superblock.setId, copyIndex, slot: 1, pageIndex }, 1, superblock.generation);
      writeSync(file, page, 0, page.length, pageOffsetBytes(copy, pageIndex, 1));
    }
  }
  const spares = superblock.spares.map((spare) => ({ ...spare, initialisedPageCount: pageIndex }));
  const sequence = superblock.sequence + 1;
  for (const [copyIndex, copy] of superblock.copies.entries()) {
    encodeSuperblock(page, { ...superblock, sequence, spares }, copyIndex);
    writeSync(file, page, 0, page.length, superblockOffsetBytes(copy, slotOf(sequence)));
  }
  closeSync(file);
}
