import { assert } from '../base/assert.js';
import { formatCount } from '../base/format-count.js';
import type { CheckReport, CopyReport, FindingReport } from '../library/metadata-types.js';
import type { Colour, Output } from './output.js';
import { coloured } from './output.js';
import { formatFields, formatTable } from './table.js';

/** What was found, in the shape of `inspect`: state, what it means, what to do, then copies and findings. */
export function checkText(report: CheckReport, output: Output): string {
  const { set, state } = report;
  const fields: [string, string][] = [
    ['set', set === null ? 'not known' : set.name === '' ? set.setId : `${set.name} (${set.setId})`],
    ['state', coloured(output, STATE_COLOUR[state], state.toUpperCase())],
    ['status', statusText(report)],
    ['action', actionText(report)],
    ...(set === null ? [] : mapFields(report)),
  ];
  const details = [
    copiesTable(report.copies),
    findingsTable(report),
    set === null ? anchorsTable(report) : '',
  ];
  return [formatFields(fields, output.columns), ...details].filter((text) => text !== '').join('\n');
}

export function copiesTable(copies: readonly CopyReport[]): string {
  if (copies.length === 0) return '';
  const rows = copies.map((copy) => [
    copy.index,
    copy.spareIndex,
    copy.path ?? '(not given)',
    copy.offsetBytes,
    copy.lengthBytes,
    copy.state,
    copy.superblock,
    copy.goodPages,
    copy.badPages,
    copy.note,
  ]);
  const titles = [
    'COPY',
    'SPARE',
    'DEVICE',
    'OFFSET',
    'BYTES',
    'STATE',
    'SUPERBLOCK',
    'PAGES',
    'BAD',
    'NOTE',
  ];
  return formatTable(titles, rows);
}

function mapFields({ set, lostPages, impossibleUnits }: CheckReport): [string, string][] {
  assert(set !== null, 'there is a set');
  const { remappedUnits, unitsWithLostBlocks, retiredSpareUnits, sequence, generation, cleanShutdown } = set;
  const map = [
    `${formatCount(remappedUnits, 'unit')} moved`,
    `${formatCount(unitsWithLostBlocks, 'unit')} with lost blocks`,
    `${formatCount(retiredSpareUnits, 'unit')} of the spare retired`,
  ];
  const gone = [
    ...(lostPages.length === 0 ? [] : [`${formatCount(lostPages.length, 'page')} without any valid version`]),
    ...(impossibleUnits.length === 0
      ? []
      : [`${formatCount(impossibleUnits.length, 'impossible entry', 'impossible entries')}`]),
  ];
  const stop = cleanShutdown ? 'stopped cleanly' : 'in use, or not stopped cleanly';
  return [
    ['map', map.join(', ')],
    ...(gone.length === 0 ? [] : ([['missing', gone.join(', ')]] as [string, string][])),
    ['version', `sequence ${sequence}, generation ${generation}, ${stop}`],
  ];
}

function statusText({ state, problem, findings, supersededPages, maybeOutdatedPages }: CheckReport): string {
  if (problem !== null) return problem.message;
  if (state === 'clean') return 'every block of every copy is as it should be';
  const left = supersededPages.length === 0 ? '' : ', and a move that was cut off';
  const found = `${formatCount(findings.length, 'finding')}${left}`;
  if (maybeOutdatedPages.length === 0) return `${found}; nothing is missing: another copy has it`;
  const pages = formatCount(maybeOutdatedPages.length, 'page');
  return (
    `${found}; a newer version of ${pages} may be lost, as no copy has it whole: after a power cut it is one that was ` +
    'just being written; otherwise compare with the newest text of the archive'
  );
}

/** All that is wrong is that nobody looks for some copies, because their places follow from the size of the spare. */
export function hasGrown({ findings }: CheckReport): boolean {
  return findings.length > 0 && findings.every(({ state }) => state === 'notScanned');
}

export const GROWN_SPARE =
  'a spare is larger than when it was formatted, so some copies are found only with the help of another one; give it its size back';

function actionText(report: CheckReport): string {
  const { state, problem, set, lostPages, impossibleUnits, copies } = report;
  if (problem !== null && (state === 'clean' || state === 'damaged'))
    return 'none with this version, which does not start the set';
  if (state === 'damaged' && hasGrown(report)) return GROWN_SPARE;
  switch (state) {
    case 'clean':
      return 'none';
    case 'damaged':
      return `none is needed: ${mendingText(report)}. If it comes back, replace the spare`;
    case 'doubtful':
      // Nobody is told to force what a forgotten argument mends.
      if (copies.some(({ path }) => path === null))
        return 'give all spares of the set; if one is gone for good, see docs/metadata.md';
      return 'see docs/metadata.md; "dmremap metadata repair --force", or run with --force, accepts what is there as the newest';
    case 'unusable':
      return set === null || lostPages.length + impossibleUnits.length === 0
        ? 'check the paths; else "dmremap metadata restore" with an archived text (docs/metadata.md)'
        : '"dmremap metadata repair" mends the rest; "dmremap metadata restore" brings back what is missing, from an archived text';
  }
}

/** A start writes no text notes: nobody needs them to use the set. */
function mendingText({ findings, supersededPages }: CheckReport): string {
  const notes = findings.filter(({ what }) => what === 'note').length;
  const isForStart = findings.length > notes || supersededPages.length > 0;
  if (notes === 0) return `the next start mends it; ${REPAIR_MENDS} it now`;
  return isForStart
    ? `the next start mends all but the text notes; ${REPAIR_MENDS} all of it now`
    : `no start needs the text notes; ${REPAIR_MENDS} them, and so does a set in use when it next compares its copies`;
}

const REPAIR_MENDS = '"dmremap metadata repair" mends';

function findingsTable({ findings }: CheckReport): string {
  if (findings.length === 0) return '';
  const rows = findings
    .slice(0, MAX_ROWS)
    .map((finding) => [
      blockText(finding),
      finding.copyIndex,
      finding.offsetBytes,
      finding.state,
      ACTIONS[finding.action],
    ]);
  const more =
    findings.length > MAX_ROWS ? `(${findings.length - MAX_ROWS} more; --json lists all of them)\n` : '';
  return formatTable(['BLOCK', 'COPY', 'OFFSET', 'FOUND', 'WHAT IS DONE'], rows) + more;
}

function blockText({ what, slot, firstPage, pageCount }: FindingReport): string {
  if (what === 'note') return 'text note';
  const version = slot === 0 ? 'A' : 'B';
  if (what === 'superblock') return `superblock ${version}`;
  const pages = pageCount === 1 ? `page ${firstPage}` : `pages ${firstPage}-${firstPage + pageCount - 1}`;
  return `${pages} ${version}`;
}

/** Where no set could be made out: what is there instead. */
function anchorsTable({ anchors }: CheckReport): string {
  const rows = anchors.map(({ path, offsetBytes, state, setId, sequence }) => [
    path,
    offsetBytes,
    state,
    setId ?? '-',
    sequence ?? '-',
  ]);
  return formatTable(['DEVICE', 'OFFSET', 'FOUND', 'SET', 'SEQUENCE'], rows);
}

const MAX_ROWS = 50;
const STATE_COLOUR: Readonly<Record<CheckReport['state'], Colour>> = {
  clean: 'green',
  damaged: 'yellow',
  doubtful: 'red',
  unusable: 'red',
};
const ACTIONS: Readonly<Record<FindingReport['action'], string>> = {
  rewritten: 'written anew',
  updatedTwice: 'updated twice, so that nothing hidden there can win',
  none: 'nothing can be done: no copy has it',
};
