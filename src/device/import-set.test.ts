import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import type { Result } from '../base/result.js';
import type { TransferEffect } from '../engine/effect.js';
import { type RunOutcome, runProcedure } from '../engine/testing/run-procedure.js';
import { emptyDescriptor } from '../format/descriptor-page.js';
import type { ImportUnit } from '../format/import/plan-import-units.js';
import { METADATA_PAGE_BYTES, superblockOffsetBytes } from '../format/layout.js';
import { planLayout } from '../format/plan-layout.js';
import { type Superblock, slotOf } from '../format/superblock.js';
import { encodeSuperblock } from '../format/superblock-codec.js';
import { exampleSuperblock } from '../format/testing/example-set.js';
import { plainMemory } from '../ports/io-memory.js';
import { type AssembledSet, assembleSet } from './assemble-set.js';
import type { ImportSetFailure } from './import-set.js';
import { type ImportedUnit, type ImportSetInput, importSet } from './import-set.js';
import { layOutColdMemory } from './memory-map.js';

const MAIN_SECTORS = 2005;
const OLD_SECTORS = 2048;
const NEW_BYTES = 2 << 20;
const MEMORY = plainMemory(layOutColdMemory().endOffset);
const BUFFER_OFFSET = layOutColdMemory().recoveryOffset;

/** Sector n of a device says so. */
function numbered(name: string, sectorCount: number): Uint8Array {
  const bytes = new Uint8Array(sectorCount * 512);
  for (let sector = 0; sector < sectorCount; sector += 1) {
    bytes.set(Buffer.from(`${name} ${sector}`), sector * 512);
  }
  return bytes;
}

function textAt(bytes: Uint8Array, offset: number): string {
  return Buffer.from(bytes.subarray(offset, offset + 32))
    .toString('latin1')
    .replace(/\0.*/s, '');
}

/** The first superblock of a set for these devices. */
function firstSuperblock(spareBytes = NEW_BYTES): Superblock {
  const layout = planLayout({
    mainSizeBytes: MAIN_SECTORS * 512,
    logicalBlockBytes: 512,
    unitBytes: 4096,
    copyCount: 5,
    spareSizesBytes: [spareBytes],
  });
  assert(layout.ok, 'the layout fits');
  const { spares } = exampleSuperblock();
  return {
    ...exampleSuperblock(),
    ...layout.value,
    spares: layout.value.spares.map((spare) => ({
      ...spare,
      uuid: spares[0]!.uuid,
      initialisedPageCount: 0,
    })),
    mainSizeBytes: MAIN_SECTORS * 512,
    sequence: 1,
    generation: 1,
    openCount: 0,
    cleanShutdown: false,
    counters: [],
  };
}

/** Sectors 3 and 5 of unit 0, all of unit 7, one of the last unit, which has five sectors. */
const UNITS: readonly ImportUnit[] = [
  {
    mainUnit: 0,
    moved: [
      { sectorInUnit: 3, spareSector: 1500 },
      { sectorInUnit: 5, spareSector: 1300 },
    ],
  },
  {
    mainUnit: 7,
    moved: [0, 1, 2, 3, 4, 5, 6, 7].map((nth) => ({ sectorInUnit: nth, spareSector: 1600 + 3 * nth })),
  },
  { mainUnit: 250, moved: [{ sectorInUnit: 4, spareSector: 2047 }] },
];

interface Faults {
  /** By target: errno of a read that touches this sector. */
  readonly reads?: (target: number, firstSector: number, sectorCount: number) => number;
  readonly writes?: (offsetBytes: number) => number;
  readonly afterWrite?: (bytes: Uint8Array, offsetBytes: number) => void;
}

interface Outcome extends RunOutcome<Result<ImportedUnit[], ImportSetFailure>> {
  readonly devices: readonly Uint8Array[];
  /** Writes to the new spare in order, and flushes of it. */
  readonly history: readonly (Written | 'flush')[];
}

interface Written {
  readonly offsetBytes: number;
  readonly bytes: Uint8Array;
}

function run(
  faults: Faults = {},
  input: Partial<ImportSetInput> = {},
  newSpare: Uint8Array = new Uint8Array(NEW_BYTES).fill(0x77),
): Outcome {
  const devices = [numbered('main', MAIN_SECTORS), newSpare.slice(), numbered('old', OLD_SECTORS)];
  const history: (Written | 'flush')[] = [];
  const transfer = ({ kind, target, offsetBytes, lengthBytes, memoryOffset }: TransferEffect): number => {
    const device = devices[target]!;
    assert(offsetBytes + lengthBytes <= device.length, 'stays on the device');
    const memory = MEMORY.bytes.subarray(memoryOffset, memoryOffset + lengthBytes);
    if (kind === 'read') {
      const errno = faults.reads?.(target, offsetBytes / 512, lengthBytes / 512) ?? 0;
      if (errno === 0) memory.set(device.subarray(offsetBytes, offsetBytes + lengthBytes));
      return errno === 0 ? lengthBytes : -errno;
    }
    assert(target === 1, 'writes to the new spare only');
    const errno = faults.writes?.(offsetBytes) ?? 0;
    if (errno !== 0) return -errno;
    history.push({ offsetBytes, bytes: memory.slice() });
    device.set(memory, offsetBytes);
    faults.afterWrite?.(device, offsetBytes);
    return lengthBytes;
  };
  const outcome = runProcedure(
    importSet({
      superblock: firstSuperblock(),
      units: UNITS,
      oldSpare: { target: 2, sizeBytes: OLD_SECTORS * 512 },
      noteRead: () => {},
      memory: MEMORY,
      bufferOffset: BUFFER_OFFSET,
      ...input,
    }),
    (effect) => {
      switch (effect.kind) {
        case 'read':
        case 'write':
          return transfer(effect);
        case 'flush':
          assert(effect.target === 1, 'flushes the new spare only');
          history.push('flush');
          return 0;
        case 'wallClock':
          return 1_760_000_000;
        case 'delay':
          return 0;
        default:
          return assert(false, `an import has no business with ${effect.kind}`) as never;
      }
    },
  );
  return { ...outcome, devices, history };
}

/** The set on an image of the new spare; undefined if there is none. */
function assembled(spare: Uint8Array): AssembledSet | undefined {
  const { value } = runProcedure(
    assembleSet({
      main: undefined,
      devices: [{ target: 1, sizeBytes: NEW_BYTES, logicalBlockBytes: 512 }],
      force: false,
      memory: MEMORY,
      bufferOffset: BUFFER_OFFSET,
    }),
    (effect) => {
      assert(effect.kind === 'read', 'assembling reads');
      const { offsetBytes, lengthBytes, memoryOffset } = effect;
      MEMORY.bytes.set(spare.subarray(offsetBytes, offsetBytes + lengthBytes), memoryOffset);
      return lengthBytes;
    },
  );
  if (!value.ok) expect(value.error.kind).toBe('noneFound');
  return value.ok ? value.value : undefined;
}

/** What each mapped sector reads as, by main sector. */
function contentsOf(set: AssembledSet, spare: Uint8Array): Map<number, string> {
  const contents = new Map<number, string>();
  const descriptor = emptyDescriptor();
  for (let spareUnit = 0; spareUnit < set.shape.spareUnitCount; spareUnit += 1) {
    set.table.get(spareUnit, descriptor);
    if (descriptor.state !== 1) continue;
    expect(descriptor.reason).toBe(6);
    const sectorCount = set.shape.unitLengthBytes(descriptor.mainUnit) / 512;
    for (let block = 0; block < sectorCount; block += 1) {
      const isLost = ((descriptor.lostMask >>> block) & 1) === 1;
      const text = textAt(spare, set.shape.spareOffsetBytes(spareUnit) + block * 512);
      contents.set(descriptor.mainUnit * 8 + block, isLost ? `lost${text}` : text);
    }
  }
  return contents;
}

/** What UNITS must give, with these main sectors lost. */
function expectedContents(lost: readonly number[] = []): Map<number, string> {
  const contents = new Map<number, string>();
  for (const { mainUnit, moved } of UNITS) {
    for (let block = 0; block < 8 && mainUnit * 8 + block < MAIN_SECTORS; block += 1) {
      const sector = mainUnit * 8 + block;
      const from = moved.find(({ sectorInUnit }) => sectorInUnit === block);
      contents.set(sector, from === undefined ? `main ${sector}` : `old ${from.spareSector}`);
      if (lost.includes(sector)) contents.set(sector, 'lost');
    }
  }
  return contents;
}

function touches(sector: number, first: number, count: number): boolean {
  return sector >= first && sector < first + count;
}

describe('an imported set', () => {
  it('has moved sectors from the old spare and the others from the main device, and needs no repair', () => {
    const { value, devices } = run();
    expect(value.ok).toBe(true);
    const set = assembled(devices[1]!)!;
    expect(contentsOf(set, devices[1]!)).toEqual(expectedContents());
    expect(set.choice.repairs).toEqual([]);
    expect(set.load).toMatchObject({ lostPages: [], inPlaceRepairs: [], repairTwice: [] });
    expect(set.choice.needsTwoUpdates).toBe(false);
    expect(Buffer.compare(devices[0]!, numbered('main', MAIN_SECTORS))).toBe(0);
    expect(Buffer.compare(devices[2]!, numbered('old', OLD_SECTORS))).toBe(0);
  });

  it('has what cannot be read as lost blocks, and says where from', () => {
    const reads = (target: number, first: number, count: number): number => {
      const bad = target === 0 ? [1, 2000] : target === 2 ? [1300, 1606] : [];
      return bad.some((sector) => touches(sector, first, count)) ? ERRNO.ENODATA : 0;
    };
    const { value, devices } = run({ reads });
    assert(value.ok, 'imports');
    expect(contentsOf(assembled(devices[1]!)!, devices[1]!)).toEqual(expectedContents([1, 5, 58, 2000]));
    expect(value.value.map((unit) => [unit.lostOnMainMask, unit.lostOnSpareMask])).toEqual([
      [0b10, 0b100000],
      [0, 0b100],
      [1, 0],
    ]);
  });

  it('takes a sector that is read at the second attempt', () => {
    let failures = 2;
    const reads = (target: number, first: number): number =>
      target === 2 && first === 1300 && failures-- > 0 ? ERRNO.EIO : 0;
    const { devices } = run({ reads });
    expect(contentsOf(assembled(devices[1]!)!, devices[1]!)).toEqual(expectedContents());
  });

  it('is flushed before each time that it is read back', () => {
    const { effects } = run();
    let isDirty = false;
    for (const effect of effects) {
      if (effect.kind === 'write') isDirty = true;
      if (effect.kind === 'flush') isDirty = false;
      if (effect.kind === 'read' && effect.target === 1) expect(isDirty).toBe(false);
    }
  });

  it('does not read main sectors that were moved', () => {
    const { effects } = run();
    const moved = UNITS.flatMap((unit) =>
      unit.moved.map(({ sectorInUnit }) => unit.mainUnit * 8 + sectorInUnit),
    );
    for (const effect of effects) {
      if (effect.kind !== 'read' || effect.target !== 0) continue;
      expect(
        moved.some((sector) => touches(sector, effect.offsetBytes / 512, effect.lengthBytes / 512)),
      ).toBe(false);
    }
  });
});

describe('an import that is interrupted', () => {
  it('leaves no set or all of it, whatever of the unflushed writes has reached the disk', () => {
    const { history } = run();
    const random = xorshift(20261121);
    let completeCount = 0;
    for (let end = 0; end <= history.length; end += 1) {
      for (let round = 0; round < 2; round += 1) {
        const spare = spareAfter(history.slice(0, end), () => random() % 2 === 0);
        const set = assembled(spare);
        if (set === undefined) continue;
        completeCount += 1;
        expect(contentsOf(set, spare)).toEqual(expectedContents());
      }
    }
    expect(completeCount).toBeGreaterThan(2);
    expect(completeCount).toBeLessThan(history.length);
  });

  it('leaves no set where one was before, or that one whole', () => {
    const before = withOlderSuperblock(run().devices[1]!);
    const { history } = run({}, {}, before);
    const firstFlush = history.indexOf('flush');
    const zeroed = history.indexOf('flush', firstFlush + 1);
    const random = xorshift(20261128);
    const newest = firstSuperblock().copies.map((copy) => superblockOffsetBytes(copy, slotOf(1)));
    for (let end = 0; end < history.length - 6; end += 1) {
      for (let round = 0; round < 4; round += 1) {
        const keeps = ({ offsetBytes }: Written): boolean =>
          round === 0 ? newest.includes(offsetBytes) : random() % 2 === 0;
        const spare = spareAfter(history.slice(0, end), keeps, before);
        const set = assembled(spare);
        if (end > zeroed) expect(set).toBeUndefined();
        if (set !== undefined) expect(contentsOf(set, spare)).toEqual(expectedContents());
      }
    }
  });
});

/** A new spare after an import, with a superblock of its beginnings that knows of no pages. */
function withOlderSuperblock(spare: Uint8Array): Uint8Array {
  const older = { ...firstSuperblock(), sequence: 0 };
  for (const [copyIndex, copy] of older.copies.entries()) {
    const at = superblockOffsetBytes(copy, slotOf(older.sequence));
    encodeSuperblock(spare.subarray(at, at + METADATA_PAGE_BYTES), older, copyIndex);
  }
  return spare;
}

/** The new spare after these writes; of those that no flush covers, the ones that `keeps` says. */
function spareAfter(
  history: Outcome['history'],
  keeps: (write: Written) => boolean,
  before: Uint8Array = new Uint8Array(NEW_BYTES).fill(0x77),
): Uint8Array {
  const spare = before.slice();
  const lastFlush = history.lastIndexOf('flush');
  for (const [index, step] of history.entries()) {
    if (step !== 'flush' && (index < lastFlush || keeps(step))) spare.set(step.bytes, step.offsetBytes);
  }
  return spare;
}

describe('an import fails, and writes nothing,', () => {
  it.each([
    ['main', 0],
    ['oldSpare', 2],
  ] as const)('when the %s answers nowhere', (device, target) => {
    for (const errno of [ERRNO.EIO, ERRNO.ENODEV]) {
      const { value, history } = run({ reads: (from) => (from === target ? errno : 0) });
      expect(value).toEqual({ ok: false, error: { kind: 'deviceFails', device, errno } });
      expect(history).toEqual([]);
    }
  });

  it('when the new spare has no room', () => {
    const units = Array.from({ length: 250 }, (_, mainUnit) => ({ ...UNITS[2]!, mainUnit }));
    const { value, history } = run({}, { superblock: firstSuperblock(1 << 20), units });
    expect(value).toEqual({ ok: false, error: { kind: 'noRoom' } });
    expect(history).toEqual([]);
  });
});

describe('a new spare that fails', () => {
  it.each(['anchors', 'data', 'pages', 'superblocks'] as const)('at its %s is refused', (what) => {
    const counts = { anchors: 0, data: 16, pages: 19, superblocks: 0 };
    let writeCount = 0;
    const all = run().history.filter((step) => step !== 'flush').length;
    const failing = what === 'superblocks' ? all - 1 : counts[what];
    const writes = (): number => (writeCount++ === failing ? ERRNO.EIO : 0);
    const { value, devices } = run({ writes });
    expect(value).toEqual({ ok: false, error: { kind: 'newSpareFails', what } });
    if (what !== 'superblocks') expect(assembled(devices[1]!)).toBeUndefined();
  });

  it.each(['data', 'pages'] as const)('to keep its %s as written is refused, and holds no set', (what) => {
    const wanted = what === 'data' ? 'old 1500' : 'DMRPAGE';
    const { value, devices } = run({
      afterWrite: (bytes, offset) => {
        const at = offset + (what === 'data' ? 3 * 512 : 0);
        if (textAt(bytes, at).startsWith(wanted)) bytes[at + 40]! ^= 1;
      },
    });
    expect(value).toEqual({ ok: false, error: { kind: 'newSpareFails', what } });
    expect(assembled(devices[1]!)).toBeUndefined();
  });
});
