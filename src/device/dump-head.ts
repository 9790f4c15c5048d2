import { failed, ok, type Result } from '../base/result.js';
import { problemOfSetName } from '../base/set-name.js';
import { storableText } from '../format/codec.js';
import { MAX_COPIES, MAX_SPARES, superblockAnchors } from '../format/layout.js';
import { type LayoutFailure, planLayout, unitCountFor } from '../format/plan-layout.js';
import { parseUuid, sameUuid } from '../format/set-id.js';
import {
  featuresForMain,
  featuresWith,
  SAMPLE_COUNT,
  type SpareRecord,
  type Superblock,
  TEXT_BYTES,
} from '../format/superblock.js';
import { isPlausible } from '../format/superblock-check.js';
import { DumpFields } from './dump-fields.js';
import type { DumpProblem, Statement } from './dump-statement.js';
import { parseTime } from './dump-values.js';
import { ON_LOST_WORDS } from './set-dump.js';

/** What a dump says of the set as a whole, as a superblock that could be written; undefined if it can't be. */
export function readDumpHead(
  statements: readonly Statement[],
  problems: DumpProblem[],
): Superblock | undefined {
  const fields = new Map<string, Record<string, unknown>[]>();
  for (const statement of statements) {
    const read = readStatement(statement, fields.get(statement.word)?.length ?? 0);
    if (!read.ok) problems.push(read.error);
    else fields.set(statement.word, [...(fields.get(statement.word) ?? []), read.value]);
  }
  const last = statements.at(-1)?.line ?? 1;
  for (const word of ['set', 'main', 'map', 'spare', 'copy'])
    if (!statements.some((statement) => statement.word === word))
      problems.push({ line: last, message: `there is no line that begins with "${word}"` });
  if (problems.length > 0) return undefined;
  const superblock = assemble(fields);
  const problem = problemOfLayout(superblock, statements);
  if (problem === undefined) return superblock;
  problems.push(problem);
  return undefined;
}

const MAX_BYTES = Number.MAX_SAFE_INTEGER;

function readStatement(statement: Statement, nth: number): Result<Record<string, unknown>, DumpProblem> {
  const { word, index, line } = statement;
  const read = Object.hasOwn(READERS, word) ? READERS[word] : undefined;
  if (read === undefined) return failed({ line, message: refusalOf(word) });
  const maximum = word === 'spare' ? MAX_SPARES : word === 'copy' ? MAX_COPIES : 1;
  if (nth >= maximum) return failed({ line, message: `there can be ${maximum} "${word}" at most` });
  const expected = maximum === 1 ? undefined : String(nth);
  if (index !== expected)
    return failed({ line, message: `expected "${word}${expected === undefined ? '' : ` ${expected}`}"` });
  const fields = new DumpFields(statement);
  const values = read(fields);
  const problem = fields.end();
  return problem === undefined ? ok(values) : failed(problem);
}

function refusalOf(word: string): string {
  if (word === 'incomplete')
    return 'says that parts of the map are missing; remove the line to accept that, or add them';
  return `"${word}" is not known; a line begins with set, main, map, spare, copy, remap, retired or end`;
}

const READERS: Readonly<Record<string, (fields: DumpFields) => Record<string, unknown>>> = {
  set: (fields) => ({
    setId: uuid(fields),
    name: setName(fields),
    createdSeconds: fields.take('created', 'a time as 2025-11-21T14:53:07Z', parseTime),
  }),
  main: (fields) => ({
    mainSizeBytes: fields.number('bytes', MAX_BYTES),
    logicalBlockBytes: fields.number('block', MAX_BYTES),
    mainModel: text(fields, 'model'),
    mainSerial: text(fields, 'serial'),
    mainWwn: text(fields, 'wwn'),
    mainDeviceBytes: fields.number('device-bytes', MAX_BYTES, 0),
    mainDeviceBlockBytes: fields.number('device-block', MAX_BYTES, 0),
  }),
  map: (fields) => ({
    unitBytes: fields.number('unit', MAX_BYTES),
    onLost: fields.take('on-lost', ON_LOST_WORDS.join(' or '), (word) => {
      const value = ON_LOST_WORDS.indexOf(word);
      return value === -1 ? undefined : value;
    }),
  }),
  spare: (fields) => ({ uuid: uuid(fields), sizeBytes: fields.number('bytes', MAX_BYTES) }),
  copy: (fields) => ({
    spareIndex: fields.number('spare', MAX_SPARES - 1),
    offsetBytes: fields.number('offset', MAX_BYTES),
    pageCapacity: fields.number('pages', MAX_BYTES),
  }),
};

function uuid(fields: DumpFields): Uint8Array | undefined {
  return fields.take('id', 'a UUID', (text) => {
    const parsed = parseUuid(text);
    return parsed.ok ? parsed.value : undefined;
  });
}

/** As `format` takes it: a dump that was edited makes the same file names of it. */
function setName(fields: DumpFields): string | undefined {
  const name = text(fields, 'name');
  const problem = name === undefined ? undefined : problemOfSetName(name);
  if (problem !== undefined) fields.refuse(`name=: ${problem}`);
  return name;
}

function text(fields: DumpFields, key: string): string | undefined {
  const fits = (value: string): string | undefined =>
    storableText(value, TEXT_BYTES) === value ? value : undefined;
  return fields.take(key, `${TEXT_BYTES} bytes of text at most, without zeroes`, fits, '');
}

function assemble(fields: ReadonlyMap<string, readonly Record<string, unknown>[]>): Superblock {
  const one = Object.assign({}, ...['set', 'main', 'map'].map((word) => fields.get(word)![0])) as Superblock;
  const spares: SpareRecord[] = [];
  let firstUnit = 0;
  for (const spare of fields.get('spare') as unknown as SpareRecord[]) {
    const unitCount = one.unitBytes > 0 ? unitCountFor(spare.sizeBytes, one.unitBytes) : 0;
    spares.push({ ...spare, firstUnit, unitCount, initialisedPageCount: 0 });
    firstUnit += unitCount;
  }
  const copies = fields.get('copy') as unknown as Superblock['copies'];
  const pageCount = firstUnit / 126;
  return {
    ...one,
    spares,
    copies,
    pageCount,
    features: featuresForMain(
      featuresWith({ compat: 0, roCompat: 0, incompat: 0 }, { copies, pageCount }),
      one,
    ),
    cleanShutdown: false,
    pageSequenceSum: 0,
    copyPosition: undefined,
    sequence: 1,
    generation: 1,
    openCount: 0,
    updatedSeconds: 0,
    contentSample: { validMask: 0, crcs: new Array<number>(SAMPLE_COUNT).fill(0) },
    counters: [],
    settings: [],
  };
}

/** Each is wrong whatever the layout; who reads it looks at the line that it is in. */
const WRONG_NUMBERS: Readonly<Partial<Record<LayoutFailure['kind'], WrongNumber>>> = {
  badLogicalBlock: { word: 'main', message: 'block= is 512 or 4096' },
  badMainSize: { word: 'main', message: 'bytes= is whole logical blocks, and no more than a disk can have' },
  badUnit: {
    word: 'map',
    message: 'unit= is a power of two from the logical block to 32 of these, 131072 at most',
  },
};

interface WrongNumber {
  /** Of the line that it is in. */
  readonly word: string;
  readonly message: string;
}

const OTHER_MAIN =
  'device-bytes= is larger than bytes=, or left out; device-block= is 512 where block= is 4096, or left out';

/** Names the line that is wrong where it can. */
function problemOfLayout(superblock: Superblock, statements: readonly Statement[]): DumpProblem | undefined {
  const lineOf = (word: string, index = 0): number =>
    statements.filter((statement) => statement.word === word)[index]?.line ?? 1;
  const { copies, spares, unitBytes, logicalBlockBytes, mainSizeBytes } = superblock;
  for (const [index, { uuid: own }] of spares.entries()) {
    const first = spares.findIndex((spare) => sameUuid(spare.uuid, own));
    if (first !== index) return { line: lineOf('spare', index), message: `has the id of spare ${first}` };
  }
  for (const [index, copy] of copies.entries()) {
    const spare = spares[copy.spareIndex];
    if (spare === undefined)
      return { line: lineOf('copy', index), message: `there is no spare ${copy.spareIndex}` };
    const anchors = spare.sizeBytes > 0 ? superblockAnchors(spare.sizeBytes) : [];
    // Both slots of a zone are anchors; a copy starts with the first.
    if (!anchors.includes(copy.offsetBytes) || !anchors.includes(copy.offsetBytes + 4096))
      return { line: lineOf('copy', index), message: `nobody looks for a copy at byte ${copy.offsetBytes}` };
  }
  const spareSizesBytes = spares.map((spare) => spare.sizeBytes);
  const request = { mainSizeBytes, logicalBlockBytes, unitBytes, copyCount: copies.length, spareSizesBytes };
  const planned = planLayout(request);
  const wrongNumber = planned.ok ? undefined : WRONG_NUMBERS[planned.error.kind];
  if (wrongNumber !== undefined) return { line: lineOf(wrongNumber.word), message: wrongNumber.message };
  // Spares that were added later need not fit into a layout that is made in one go.
  if (!planned.ok && superblock.features.incompat === 0)
    return { line: lineOf('map'), message: `the layout does not fit (${planned.error.kind})` };
  const place = { copyIndex: 0, slot: 1, spareIndex: copies[0]!.spareIndex };
  if (isPlausible(superblock, place)) return undefined;
  if (isPlausible({ ...superblock, mainDeviceBytes: 0, mainDeviceBlockBytes: 0 }, place))
    return { line: lineOf('main'), message: OTHER_MAIN };
  return { line: lineOf('copy'), message: 'copies overlap, are too small, or a spare has none' };
}
