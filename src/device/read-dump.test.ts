import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problemOfSetName } from '../base/set-name.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { planAddedSpare } from '../format/plan-added-spare.js';
import { featuresWith, IncompatFeature } from '../format/superblock.js';
import { exampleSuperblock } from '../format/testing/example-set.js';
import { MAX_PROBLEMS, readDump } from './read-dump.js';
import { type DumpEntry, type DumpSource, formatDump } from './set-dump.js';

const NOW = 1_763_000_000;
/** The first spare unit of the example that can hold data, and one that lies under its first copy. */
const [FREE_UNIT, RESERVED_SECTOR] = [110, 800];

function textOf(source: DumpSource): string {
  return [...formatDump(source)].join('');
}

function example(entries: readonly DumpEntry[] = []): DumpSource {
  return { superblock: exampleSuperblock(), entries, lostPages: [] };
}

const entry = fc.record({
  isMapped: fc.boolean(),
  spareUnit: fc.oneof(fc.integer({ min: 110, max: 240 }), fc.integer({ min: 4270, max: 4380 })),
  mainUnit: fc.integer({ min: 0, max: 2 ** 18 - 1 }),
  lostMask: fc.integer({ min: 0, max: 255 }),
  timeSeconds: fc.integer({ min: 0, max: 0xffff_ffff }),
  errorCount: fc.integer({ min: 0, max: 0xffff }),
  moveCount: fc.integer({ min: 0, max: 255 }),
  reason: fc.integer({ min: 0, max: 255 }),
});

/** Maps that can be: each unit once, none in a reserved place. */
const maps = fc.array(entry, { maxLength: 60 }).map((wishes) => {
  const entries = new Map<number, DumpEntry>();
  const mainUnits = new Set<number>();
  for (const { isMapped, spareUnit, mainUnit, lostMask, ...history } of wishes) {
    if (entries.has(spareUnit) || mainUnits.has(mainUnit)) continue;
    if (isMapped) mainUnits.add(mainUnit);
    const state = isMapped ? DescriptorState.mapped : DescriptorState.retired;
    const what = isMapped ? { state, mainUnit, lostMask } : { state, mainUnit: 0, lostMask: 0 };
    entries.set(spareUnit, [spareUnit, { ...what, ...history }]);
  }
  return [...entries.values()];
});

describe('a dump', () => {
  it('says the same after it was read, whatever the map and the names', () => {
    fc.assert(
      fc.property(maps, fc.string({ unit: 'grapheme', maxLength: 8 }), (entries, name) => {
        const named = { ...example(entries), superblock: { ...exampleSuperblock(), name } };
        fc.pre(problemOfSetName(name) === undefined);
        const read = readDump(textOf(named), NOW);
        expect(read.ok ? [] : read.error).toEqual([]);
        if (read.ok) expect(textOf({ ...read.value, lostPages: [] })).toBe(textOf(named));
      }),
      { numRuns: 300 },
    );
  });

  it('says the same of a set to which a spare was added that all the copies there have no room for', () => {
    const before = exampleSuperblock({ spareSizesBytes: [1 << 20] });
    const layout = planAddedSpare(before, 1 << 30);
    if (!layout.ok) throw new Error(layout.error.kind);
    const added = { ...layout.value.spares[1]!, uuid: new Uint8Array(16).fill(9), initialisedPageCount: 0 };
    const features = featuresWith(before.features, layout.value);
    const superblock = { ...before, ...layout.value, features, spares: [...before.spares, added] };
    const text = textOf({ superblock, entries: [], lostPages: [] });
    const read = readDump(text, NOW);
    expect(read.ok ? [] : read.error).toEqual([]);
    if (read.ok) expect(textOf({ ...read.value, lostPages: [] })).toBe(text);
    if (read.ok) expect(read.value.superblock.features.incompat).toBe(IncompatFeature.partialCopies);
  });

  it('is read the same in any order of its units, with comments, blanks and other line ends', () => {
    const descriptor = { state: 1, lostMask: 4, timeSeconds: NOW, errorCount: 2, moveCount: 1, reason: 2 };
    const source = example([
      [110, { ...descriptor, mainUnit: 7 }],
      [111, { ...descriptor, mainUnit: 6 }],
    ]);
    const lines = textOf(source).trimEnd().split('\n');
    const [one, other, end] = lines.splice(-3);
    const edited = [...lines, other, `  ${one}  # why not`, '', end, '#'].join('\r\n');
    const read = readDump(edited, NOW);
    expect(read.ok && textOf({ ...read.value, lostPages: [] })).toBe(textOf(source));
  });

  it('takes what is left out as written by hand, now', () => {
    const read = readDump(`${textOf(example())}remap main=80 spare=0:880 lost=81-82,87\n`, NOW);
    expect(read.ok && read.value.entries).toEqual([
      [
        FREE_UNIT,
        {
          state: 1,
          mainUnit: 10,
          lostMask: 0b1000_0110,
          reason: 5,
          timeSeconds: NOW,
          errorCount: 0,
          moveCount: 0,
        },
      ],
    ]);
  });

  it.each([
    ['block=512', 'block=1024', 'main'],
    [/main bytes=\d+/, 'main bytes=513', 'main'],
    ['wwn=', 'device-bytes=5 wwn=', 'main'],
    ['wwn=', 'device-block=512 wwn=', 'main'],
    ['unit=4096', 'unit=3', 'map'],
    ['unit=4096', 'unit=0', 'map'],
    [/created=....-..-../, 'created=2025-02-30', 'set'],
    [/created=\S+/, 'created=2025-02-28T24:00:00Z', 'set'],
  ])('with %s changed to %s is refused with the line that begins with "%s"', (from, to, word) => {
    const text = textOf(example()).replace(from, to);
    const read = readDump(text, NOW);
    const line = 1 + text.split('\n').findIndex((each) => each.startsWith(word));
    expect(read.ok ? [] : read.error.map((problem) => problem.line)).toEqual([line]);
  });

  it('that was cut off is refused, wherever that was', () => {
    const descriptor = { state: 1, lostMask: 0, timeSeconds: NOW, errorCount: 0, moveCount: 0, reason: 1 };
    const text = textOf(example([110, 111, 112].map((unit) => [unit, { ...descriptor, mainUnit: unit }])));
    for (let length = 0; length < text.length - 1; length += 1)
      expect(readDump(text.slice(0, length), NOW).ok).toBe(false);
    const cut = readDump(text.replace(/remap main=896 [\s\S]*/, ''), NOW);
    expect(!cut.ok && cut.error).toEqual([{ line: 18, message: expect.stringContaining('cut off') }]);
  });

  it('that says it is not complete has to be accepted by a person', () => {
    const text = textOf({ ...example(), lostPages: [3, 4, 9] });
    const line = text.split('\n').findIndex((each) => each.startsWith('incomplete pages=3-4,9')) + 1;
    const read = readDump(text, NOW);
    expect(!read.ok && read.error).toEqual([{ line, message: expect.stringContaining('remove the line') }]);
    expect(readDump(text.replace(/^incomplete.*$/m, ''), NOW).ok).toBe(true);
  });
});

describe('mistakes in a dump', () => {
  const remap = 'remap main=80 spare=0:880';
  it.each([
    [`${remap}\nremap main=80 spare=0:888`, 2, 'line 18 says where this unit is'],
    [`${remap}\nremap main=88 spare=0:880`, 2, 'line 18 uses it already'],
    ['remap main=81 spare=0:880', 1, 'multiples of 8'],
    ['remap main=80 spare=0:881', 1, 'multiples of 8'],
    ['remap main=2097152 spare=0:880', 1, 'beyond the end of the main device'],
    ['remap main=80 spare=0:99999992', 1, 'beyond the end of the spare'],
    ['remap main=80 spare=2:880', 1, 'no spare 2'],
    [`remap main=80 spare=0:${RESERVED_SECTOR}`, 1, 'metadata is there'],
    [`${remap} lost=88`, 1, 'not within the unit'],
    [`${remap} lost=79-80`, 1, 'not within the unit'],
    [`${remap} lost=5-`, 1, 'expected sectors'],
    [`${remap} reason=mice`, 1, 'expected one of none, writeError'],
    [`${remap} time=yesterday`, 1, 'expected a time'],
    [`${remap} moves=256`, 1, 'from 0 to 255'],
    [`${remap} errors=1 errors=2`, 1, 'given twice'],
    [`${remap} colour=red`, 1, 'colour= has no meaning'],
    ['remap spare=0:880', 1, 'main= is missing'],
    ['retired spare=0:880 main=8', 1, 'main= has no meaning'],
    ['remapped main=1', 1, '"remapped" is not known'],
    ['remap 80 spare=0:880', 1, '"80" has no meaning'],
    ['spare 2 id=5a5a5a5a-0000-4000-8000-000000000002 bytes=1', 1, 'does not fit'],
    ['copy 5 spare=0 offset=0 pages=50', 1, 'overlap'],
    ['set id=1', 1, '1 "set" at most'],
    ['"unfinished', 1, "can't be understood from column 1"],
    ['name="\\x"', 1, 'not written as in JSON'],
  ])('%j is found in its line', (added, nth, message) => {
    const text = textOf(example());
    const base = text.split('\n').length - 1;
    const read = readDump(text + added, NOW);
    expect(!read.ok && read.error[0]!.message).toContain(message);
    const isOfLayout = message === 'does not fit' || message === 'overlap';
    if (!isOfLayout) expect(!read.ok && read.error[0]!.line).toBe(base + nth);
  });

  it.each([
    [/^dm-remap-dump 1$/m, 'dm-remap-dump 2', 'is not a dump'],
    [/^set .*$/m, '', 'no line that begins with "set"'],
    [/unit=4096/, 'unit=5000', 'unit= is a power of two'],
    [/copy 1 spare=1/, 'copy 1 spare=0', 'overlap'],
    [/copy 1 spare=1/, 'copy 1 spare=7', 'no spare 7'],
    [/spare 1 /, 'spare 3 ', 'expected "spare 1"'],
    [/offset=\d+ pages=50\n\nend\n$/, 'offset=4096 pages=50\nend\n', 'nobody looks for a copy at byte 4096'],
    [/bytes=8388608/, 'bytes=838860800', 'nobody looks'],
    [/bytes=8388608/, `bytes=${2 ** 53}`, 'expected a whole number'],
    [/name="archive"/, `name="${'ä'.repeat(33)}"`, '64 bytes'],
    [/name="archive"/, 'name="a/b"', 'name=: give a name without "/"'],
    [/name="archive"/, 'name=".."', 'name=: give a name without "/"'],
    [/name="archive"/, 'name=" a"', 'name=: give a name without blanks'],
  ])('of its head (%s) are found', (what, instead, message) => {
    const text = textOf(example()).trimEnd();
    expect(`${text}\n`).toMatch(what);
    const read = readDump(`${text}\n`.replace(what, instead), NOW);
    expect(!read.ok && read.error.map((problem) => problem.message).join()).toContain(message);
  });

  it('such as one id for two spares, by which a start could not tell them apart, are found', () => {
    const text = textOf(example());
    const [, id] = /^spare 0 id=(\S+)/m.exec(text)!;
    const read = readDump(text.replace(/^(spare 1 id=)\S+/m, `$1${id}`), NOW);
    const line = text.split('\n').findIndex((each) => each.startsWith('spare 1')) + 1;
    expect(!read.ok && read.error).toEqual([{ line, message: 'has the id of spare 0' }]);
  });

  it('are told up to a number', () => {
    const read = readDump(`${textOf(example())}${'nonsense\n'.repeat(100_000)}`, NOW);
    expect(!read.ok && read.error.length).toBe(MAX_PROBLEMS);
  });

  it('of any kind never lead to more than a refusal, or to a dump that is read again', () => {
    const edit = fc.record({
      at: fc.nat(),
      length: fc.nat({ max: 12 }),
      text: fc.oneof(
        fc.string(),
        fc.constantFrom('\n', '"', '=', '0', '9', '-', ',', '#', '\\', '18446744073709551616'),
      ),
    });
    fc.assert(
      fc.property(maps, fc.array(edit, { minLength: 1, maxLength: 6 }), (entries, edits) => {
        let text = textOf(example(entries));
        for (const { at, length, text: put } of edits) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + put + text.slice(place + length);
        }
        const read = readDump(text, NOW);
        if (!read.ok) {
          expect(read.error.every(({ line }) => line >= 1)).toBe(true);
          return;
        }
        const again = textOf({ ...read.value, lostPages: [] });
        const reread = readDump(again, NOW);
        expect(reread.ok && textOf({ ...reread.value, lostPages: [] })).toBe(again);
      }),
      { numRuns: 400 },
    );
  });
});
