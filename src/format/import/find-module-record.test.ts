import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../base/crc32.js';
import { findModuleRecord, type ModuleFinding } from './find-module-record.js';
import {
  EXAMPLE_SECONDS,
  type ExampleRemap,
  readerOf,
  sampleImage,
  sealV4Record,
  type V4Example,
  v4Record,
  writeEarlyPages,
  writeScriptRecords,
  writeV3Record,
  writeV4Copies,
} from './testing/module-image.js';

const NOW = EXAMPLE_SECONDS + 1000;
const COPY_BYTES = 0x20000;

function find(image: Uint8Array, unreadableSectors: readonly number[] = []): ModuleFinding {
  return findModuleRecord(readerOf(image, unreadableSectors), NOW);
}

function foundV4(image: Uint8Array, unreadable: readonly number[] = []): ModuleFinding & { kind: 'v4' } {
  const finding = find(image, unreadable);
  if (finding.kind !== 'v4') throw new Error(`found ${finding.kind}`);
  return finding;
}

/** `main>spare`, with the doubts that the record itself gives. */
function remapsOf(finding: ModuleFinding): string[] {
  if (finding.kind !== 'v4' && finding.kind !== 'v3') return [];
  return finding.remaps.map(({ mainSector, spareSector, doubts }) =>
    [`${mainSector}>${spareSector}`, ...doubts].join(' '),
  );
}

function statesOf(finding: ModuleFinding): string[] {
  return 'copies' in finding ? finding.copies.map(({ state }) => state) : [];
}

/** 5 MiB: all places of all layouts. */
function image(...copies: readonly (readonly [V4Example, number[]])[]): Uint8Array {
  const bytes = new Uint8Array(5 << 20);
  for (const [record, indexes] of copies) writeV4Copies(bytes, record, indexes);
  return bytes;
}

function example(sequence: number, remaps: readonly ExampleRemap[], more: Partial<V4Example> = {}) {
  return { sequence, mainSectors: 204800, spareSectors: 10240, remaps, ...more };
}

const A = { main: 1000, spare: 5000 };
const B = { main: 2048, spare: 5001 };
const C = { main: 77777, spare: 5002 };

describe('the samples', () => {
  it('version 4: five equal copies with three remaps', () => {
    const finding = foundV4(sampleImage('v4'));
    expect(finding).toMatchObject({
      copyIndex: 0,
      sequence: 4,
      timeSeconds: 1_761_609_600,
      mainSectors: 204800,
      spareSectors: 8192,
      sectorBytes: 512,
      rival: undefined,
      metadata: [{ firstSector: 0, sectorCount: 1280 }],
    });
    expect(statesOf(finding)).toEqual(new Array(5).fill('good'));
    const copies = [0, 1, 2, 3, 4];
    const common = { timeSeconds: 1_761_609_600, copies, doubts: [] };
    expect(finding.remaps).toEqual([
      { mainSector: 1000, spareSector: 5000, state: 'pending', ...common },
      { mainSector: 2048, spareSector: 5001, state: 'active', ...common },
      { mainSector: 77777, spareSector: 5002, state: 'pending', ...common },
    ]);
  });

  it('version 3: two remaps, checked by no checksum', () => {
    const finding = find(sampleImage('v3'));
    expect(finding).toMatchObject({
      kind: 'v3',
      state: 'clean',
      mainSectors: 204800,
      spareSectors: 256,
      metadata: [{ firstSector: 0, sectorCount: 16 }],
    });
    expect(remapsOf(finding)).toEqual(['12345>64', '777>65']);
  });
});

describe('a copy of version 4', () => {
  it('is never taken for good with one byte of its record changed', () => {
    const sample = sampleImage('v4');
    const only = sample.subarray(0, COPY_BYTES);
    for (let at = 0; at < 84288; at += 1) {
      only[at]! ^= 1 << (at % 8);
      const { kind } = find(only);
      only[at]! ^= 1 << (at % 8);
      if (kind === 'v4' || kind === 'v3') expect.fail(`byte ${at} does not count`);
    }
    expect(find(only).kind).toBe('v4');
  });

  it('is good whatever the rest of its block holds', () => {
    const sample = sampleImage('v4');
    sample.fill(0x55, 84288, COPY_BYTES);
    expect(statesOf(find(sample))[0]).toBe('good');
  });

  it.each([
    ['another version', (view: DataView) => view.setUint32(4, 5, true), 'otherVersion'],
    ['more remaps than it has room for', (view: DataView) => view.setUint32(0x128, 2049, true), 'badCount'],
    ['a health score above 100', (view: DataView) => view.setUint32(0x100, 101, true), 'badHealth'],
  ])('with %s is not used, though its checksum is good', (_, change, state) => {
    const bytes = image([example(3, [A]), [0, 1, 2, 3, 4]]);
    change(new DataView(bytes.buffer, 2 * COPY_BYTES));
    sealV4Record(bytes.subarray(2 * COPY_BYTES));
    const finding = foundV4(bytes);
    expect(statesOf(finding)).toEqual(['good', 'good', state, 'good', 'good']);
    expect(remapsOf(finding)).toEqual(['1000>5000']);
  });

  it('with the checksum that zlib computes is not good: the module has its own', () => {
    const bytes = image([example(3, [A]), [0]]);
    const covered = Buffer.concat([bytes.subarray(0, 24), bytes.subarray(28, 84288)]);
    new DataView(bytes.buffer).setUint32(24, crc32(covered), true);
    expect(find(bytes).kind).toBe('damagedV4');
  });
});

describe('the choice among copies', () => {
  it('works with a single good copy, whichever it is', () => {
    for (let survivor = 0; survivor < 5; survivor += 1) {
      const bytes = image([example(3, [A, B]), [survivor]]);
      expect(foundV4(bytes).copyIndex).toBe(survivor);
      expect(remapsOf(find(bytes))).toEqual(['1000>5000', '2048>5001']);
    }
  });

  it('takes the highest sequence, then the latest time', () => {
    const late = { timeSeconds: EXAMPLE_SECONDS + 10 };
    expect(foundV4(image([example(3, [A]), [0, 1]], [example(4, [A]), [3]])).copyIndex).toBe(3);
    expect(foundV4(image([example(4, [A]), [0]], [example(4, [A], late), [2]])).copyIndex).toBe(2);
    expect(foundV4(image([example(4, [A]), [0]], [example(3, [A], late), [2]])).copyIndex).toBe(0);
  });

  it('finds the four good copies of a record whose others are unreadable, damaged or gone', () => {
    const bytes = image([example(3, [A]), [0, 1, 2, 3]]);
    bytes[COPY_BYTES + 500]! ^= 1;
    bytes.fill(0, 3 * COPY_BYTES, 4 * COPY_BYTES);
    bytes.fill(7, 4 * COPY_BYTES, 5 * COPY_BYTES);
    const finding = foundV4(bytes, [2 * 256 + 100]);
    expect(statesOf(finding)).toEqual(['good', 'badChecksum', 'unreadable', 'blank', 'noRecord']);
  });

  it('disputes a remap that a valid copy does not have, newer or older', () => {
    const torn = image([example(5, [A, B]), [0, 1]], [example(4, [A]), [2, 3, 4]]);
    expect(remapsOf(find(torn))).toEqual(['1000>5000', '2048>5001 copiesDisagree']);
    // The module was loaded again: its sequence restarted, so the newer copies have the lower one.
    const later = { timeSeconds: EXAMPLE_SECONDS + 500 };
    const reset = image([example(2, [A, B, C], later), [0, 1]], [example(50, [A, B]), [2, 3, 4]]);
    expect(foundV4(reset).copyIndex).toBe(2);
    expect(remapsOf(find(reset))).toEqual(['1000>5000', '2048>5001', '77777>5002 copiesDisagree']);
    expect(foundV4(reset).remaps[2]!.copies).toEqual([0, 1]);
  });

  it('disputes both places where copies give one sector two', () => {
    const bytes = image([example(5, [A]), [0, 1]], [example(5, [{ main: 1000, spare: 6000 }]), [2]]);
    expect(remapsOf(find(bytes))).toEqual(['1000>5000 copiesDisagree', '1000>6000 copiesDisagree']);
  });

  it('does not dispute a remap that has become active in some copies', () => {
    const bytes = image([example(5, [{ ...A, flags: 2 }]), [0]], [example(4, [{ ...A, flags: 1 }]), [1]]);
    expect(remapsOf(find(bytes))).toEqual(['1000>5000']);
  });

  it('does not choose a copy from the future, unless there is no other', () => {
    const future = { timeSeconds: NOW + 86401 };
    const bytes = image([example(9, [A, C], future), [0]], [example(3, [A]), [1]]);
    expect(statesOf(find(bytes)).slice(0, 2)).toEqual(['fromTheFuture', 'good']);
    expect(foundV4(bytes).copyIndex).toBe(1);
    expect(remapsOf(find(bytes))).toEqual(['1000>5000', '77777>5002 copiesDisagree']);
    expect(remapsOf(find(image([example(9, [A], future), [0]])))).toEqual(['1000>5000']);
    expect(statesOf(find(image([example(9, [A], { timeSeconds: NOW + 86400 }), [0]])))[0]).toBe('good');
  });

  it('does not use entries beyond the number of remaps, and lists flags that the module does not know', () => {
    const bytes = image([example(3, [A, { ...B, flags: 3 }, C], { activeRemaps: 2 }), [0]]);
    expect(remapsOf(find(bytes))).toEqual(['1000>5000', '2048>5001 unknownFlags']);
  });
});

describe('other layouts', () => {
  it('the shell tool overwrites two copies; the rest is still read, its places are not data', () => {
    const bytes = image([example(3, [A]), [0, 1, 2, 3, 4]]);
    writeScriptRecords(bytes);
    const finding = foundV4(bytes);
    expect(statesOf(finding)).toEqual(['scriptRecord', 'good', 'good', 'good', 'scriptRecord']);
    expect(finding.metadata.slice(1)).toEqual(
      [2048, 4096, 8192].map((firstSector) => ({ firstSector, sectorCount: 1 })),
    );
  });

  it('the record of the shell tool alone names devices', () => {
    const bytes = image();
    writeScriptRecords(bytes);
    const record = {
      mainSectors: 204800,
      spareSectors: 8192,
      mainPath: '/dev/loop17',
      sparePath: '/dev/loop18',
    };
    expect(find(bytes)).toEqual({ kind: 'script', record });
    expect(find(bytes.subarray(0, 512))).toEqual({ kind: 'script', record });
    bytes[144] = 27;
    expect(find(bytes)).toMatchObject({ record: { mainPath: '?dev/loop17' } });
  });

  it('pages of versions 4.0 and 4.1 are told from a damaged record by their places', () => {
    const early = image();
    writeEarlyPages(early);
    expect(find(early)).toEqual({ kind: 'earlyV4', sectors: [0, 1024, 2048, 4096, 8192] });
    early.set(v4Record(example(1, [A])).subarray(0, 4096), COPY_BYTES);
    early[COPY_BYTES + 0x40] = 1;
    expect(find(early).kind).toBe('damagedV4');
  });

  it('a page of versions 4.0 and 4.1 that is valid by chance is not trusted', () => {
    const early = image();
    writeEarlyPages(early);
    early.set(v4Record(example(1, [A])).subarray(0, 4096), 0);
    expect(foundV4(early).rival).toBe('earlyV4');
    expect(remapsOf(find(early))).toEqual(['1000>5000 copiesDisagree']);
    const beside = image([example(1, [A]), [0, 2]]);
    writeEarlyPages(beside);
    writeV4Copies(beside, example(1, [A]), [0]);
    expect(remapsOf(find(beside))).toEqual(['1000>5000']);
  });

  it.each([
    ['on a large spare', 16384, [0, 1024, 2048, 4096, 8192]],
    ['on one that ends behind the second', 2048, [0, 1024]],
  ])('pages of versions 4.0 and 4.1 are recognised though the first is valid, %s', (_, sectors, places) => {
    const bytes = new Uint8Array(sectors * 512);
    for (const [copyIndex, sector] of places.entries()) {
      const page = v4Record(example(1, [A, B])).slice(0, 4096);
      page[0x1c] = copyIndex;
      bytes.set(page, sector * 512);
    }
    expect(find(bytes)).toEqual({ kind: 'earlyV4', sectors: places });
  });

  it('two copies of version 4.2 that are left are no pages of versions 4.0 and 4.1', () => {
    expect(remapsOf(find(image([example(1, [A]), [0, 4]])))).toEqual(['1000>5000']);
  });

  it('a header of version 3 over a record of version 4 disputes all of it, and its own remaps', () => {
    const bytes = image([example(3, [A]), [0, 1]]);
    const remaps = [B, A, { main: 777, spare: 6000 }];
    writeV3Record(bytes, { mainSectors: 204800, spareSectors: 8192, remaps });
    const finding = foundV4(bytes);
    expect(finding.rival).toBe('v3');
    expect(remapsOf(finding)).toEqual([
      '1000>5000 copiesDisagree',
      `${B.main}>${B.spare} copiesDisagree`,
      '777>6000 copiesDisagree',
    ]);
    expect(finding.remaps.map(({ copies }) => copies)).toEqual([[1], [], []]);
  });

  it.each([
    ['another version', { version: 2 }, 'otherVersion'],
    ['253 entries', { entryCount: 253 }, 'badCount'],
  ])('version 3 with %s is not read', (_, more, problem) => {
    const bytes = new Uint8Array(128 << 10);
    writeV3Record(bytes, { mainSectors: 1, spareSectors: 1, remaps: [], ...more });
    expect(find(bytes)).toEqual({ kind: 'unusableV3', problem });
  });

  it('version 3: an entry that the header has spilled over, and one that cannot be read', () => {
    const bytes = new Uint8Array(128 << 10);
    const remaps = [0, 777].map((main, nth) => ({ main, spare: 64 + nth }));
    writeV3Record(bytes, { mainSectors: 204800, spareSectors: 256, remaps });
    expect(remapsOf(find(bytes))).toEqual(['0>64 overwrittenByHeader', '777>65']);
    expect(find(bytes, [8])).toEqual({ kind: 'unusableV3', problem: 'unreadable' });
    expect(find(bytes.subarray(0, 4096))).toEqual({ kind: 'unusableV3', problem: 'unreadable' });
  });

  it('nothing is found on a blank device, and it is said if not all could be read', () => {
    expect(find(new Uint8Array(2 << 20))).toEqual({ kind: 'nothing', isReadable: true });
    expect(find(new Uint8Array(2 << 20), [3])).toEqual({ kind: 'nothing', isReadable: false });
    expect(find(new Uint8Array(0))).toEqual({ kind: 'nothing', isReadable: false });
  });
});

describe('any bytes', () => {
  const samples = { v3: sampleImage('v3'), v4: sampleImage('v4'), blank: new Uint8Array(0) };
  const nearlyRecord = fc.record({
    at: fc.constantFrom(0, 4, 8, 0x18, 32, 0x128, 0x138, 4096, COPY_BYTES, 4 * COPY_BYTES, 1 << 20),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.constantFrom(Buffer.from('4RMD'), Buffer.from('DMREMAP3\x01\0\0\0'), Buffer.alloc(40, 0xff)),
    ),
  });

  it('have an answer, with every cut and every unreadable sector', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('v3' as const, 'v4' as const, 'blank' as const),
        fc.array(nearlyRecord, { maxLength: 5 }),
        fc.nat((5 << 20) + 3),
        fc.array(fc.nat(1400), { maxLength: 3 }),
        (start, changes, sizeBytes, unreadable) => {
          const bytes = new Uint8Array(5 << 20);
          bytes.set(samples[start]);
          for (const change of changes) bytes.set(change.bytes, change.at);
          const finding = find(bytes.subarray(0, sizeBytes), unreadable);
          if (start === 'v4' && finding.kind === 'v4') expectSample(finding);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('with a good checksum have an answer too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 400 }), fc.nat(84288 - 400), (noise, at) => {
        const bytes = v4Record(example(3, [A, B]));
        bytes.set(noise, Math.max(8, at));
        sealV4Record(bytes);
        const whole = new Uint8Array(COPY_BYTES);
        whole.set(bytes);
        expect(['v4', 'damagedV4', 'script']).toContain(find(whole).kind);
      }),
      { numRuns: 200 },
    );
  });

  /** Whatever was changed: the checksum lets through what the module wrote, and all else is listed as disputed. */
  function expectSample(finding: ModuleFinding & { kind: 'v4' }): void {
    const ofCopies = finding.remaps.filter(({ copies }) => copies.length > 0);
    expect(ofCopies.map(({ mainSector, spareSector }) => `${mainSector}>${spareSector}`)).toEqual(
      SAMPLE_REMAPS,
    );
    const inNoCopy = finding.remaps.filter(({ copies }) => copies.length === 0);
    if (finding.rival !== 'v3') expect(inNoCopy).toEqual([]);
    for (const { doubts } of inNoCopy) expect(doubts).toContain('copiesDisagree');
  }

  const SAMPLE_REMAPS = ['1000>5000', '2048>5001', '77777>5002'];
});
