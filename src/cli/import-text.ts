import { unreachable } from '../base/assert.js';
import { formatCount, formatNumber } from '../base/format-count.js';
import { formatSectorRanges } from '../base/sector-ranges.js';
import type {
  ImportPlan,
  ImportResult,
  ModuleCopyReport,
  ModuleRemapReport,
  ModuleSpareReport,
} from '../library/import-types.js';
import { coloured, type Output } from './output.js';
import { formatSize } from './sizes.js';
import { formatFields, formatTable } from './table.js';
import { formatTime } from './time.js';

/** What is on the module's spare: what was recognised, its copies, each remap and whether it can be trusted. */
export function moduleSpareText(report: ModuleSpareReport, output: Output): string {
  const fields: [string, string][] = [
    ['spare', `${report.spare.path}, ${formatSize(report.spare.sizeBytes)}`],
    ...foundFields(report),
  ];
  return sections([formatFields(fields, output.columns), copiesTable(report.copies), remapsTable(report)]);
}

/** The same for consent: what will be read, what will be written where. */
export function importPlanText(plan: ImportPlan, output: Output): string {
  const [to] = plan.target.spares;
  const overwritten = coloured(output, 'red', 'WILL BE OVERWRITTEN');
  const holds = to!.signature === null ? 'holds nothing that is recognised' : `holds: ${to!.signature}`;
  const fields: [string, string][] = [
    ['main', `${plan.main.path}, ${formatSize(plan.main.sizeBytes)}: is not written`],
    ['old spare', `${plan.spare.path}, ${formatSize(plan.spare.sizeBytes)}: is not written`],
    ['new spare', `${to!.path}, ${formatSize(to!.sizeBytes)}: ${overwritten}, ${holds}`],
    ...foundFields(plan),
    ['import', importText(plan)],
    ...leftOutFields(plan),
  ];
  return sections([formatFields(fields, output.columns), copiesTable(plan.copies), remapsTable(plan)]);
}

export function importResultText(result: ImportResult): string {
  const { target, imported, unitCount, leftOut } = result;
  const lines = [
    `imported ${formatCount(imported.length, 'remap')} into ${formatCount(unitCount, 'unit')} of ` +
      `${target.spares[0]!.path}, the spare of set ${target.setId} for ${target.main.path}; all data was read back`,
    ...lostLine('the old spare', result.lostOnSpare),
    ...lostLine('the main device', result.lostOnMain),
  ];
  if (leftOut.length > 0)
    lines.push(`not imported: ${formatCount(leftOut.length, 'remap')} ${leftOutText(leftOut)}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** Why a remap can't be trusted, for a person. */
export function doubtText(doubt: ModuleRemapReport['doubts'][number]): string {
  switch (doubt) {
    case 'copiesDisagree':
      return 'the valid copies disagree about it';
    case 'unknownFlags':
      return 'its flags are none that the module writes';
    case 'overwrittenByHeader':
      return 'the header of the module lies over it';
    case 'mainOutOfRange':
      return 'its main sector is beyond the end of the main device';
    case 'spareOutOfRange':
      return 'its spare sector is beyond the end of the spare';
    case 'spareInMetadata':
      return "its spare sector lies in the module's own metadata";
    case 'repeatedMain':
      return 'its main sector is moved twice';
    case 'repeatedSpare':
      return 'its spare sector is used twice';
    case 'largeSectors':
      return 'the sectors of these devices are larger than the 512 bytes that the module counts in';
    default:
      return unreachable(doubt);
  }
}

function foundFields({ explanation, recorded, remaps, notes }: ModuleSpareReport): [string, string][] {
  const fields: [string, string][] = [['found', explanation]];
  if (recorded !== null) {
    const time = recorded.timeSeconds === null ? 'at an impossible time' : formatTime(recorded.timeSeconds);
    const sequence = recorded.sequence === null ? '' : `, sequence ${recorded.sequence}`;
    const trusted = remaps.filter(({ doubts }) => doubts.length === 0).length;
    fields.push(['written', `${time}${sequence}`]);
    fields.push([
      'remaps',
      `${formatNumber(remaps.length)}, of which ${formatNumber(trusted)} can be trusted`,
    ]);
  }
  return [...fields, ...notes.map((note): [string, string] => ['note', note])];
}

function importText({ imported, unitCount, target }: ImportPlan): string {
  const units = `${formatCount(unitCount, 'unit')} of ${formatSize(target.unitBytes)}`;
  const disputed = imported.filter(({ doubts }) => doubts.length > 0).length;
  const warning = disputed === 0 ? '' : `; ${formatNumber(disputed)} of them disputed, as you asked`;
  return (
    `${formatCount(imported.length, 'remap')} in ${units}: moved sectors are copied from the old spare, the rest of ` +
    `each unit from the main device${warning}`
  );
}

function leftOutFields({ leftOut }: ImportPlan): [string, string][] {
  if (leftOut.length === 0) return [];
  const count = formatCount(leftOut.length, 'remap');
  const text = `${count}, for the reasons below: their sectors will be read from the main device`;
  return [['left out', `${text}${disputedHint(leftOut)}`]];
}

function disputedHint(leftOut: readonly ModuleRemapReport[]): string {
  const count = leftOut.filter(({ doubts }) => doubts.every((doubt) => doubt === 'copiesDisagree')).length;
  return count === 0
    ? ''
    : `; ${formatNumber(count)} of them only disputed: --include-disputed imports these too`;
}

function leftOutText(leftOut: readonly ModuleRemapReport[]): string {
  const sectors = leftOut
    .filter(({ doubts }) => !doubts.includes('mainOutOfRange'))
    .flatMap(({ mainSector }) => mainSector ?? []);
  const from = sectors.length === 0 ? '' : `; read from the main device: main ${sectorsText(sectors)}`;
  return `that can not be trusted${from}${disputedHint(leftOut)}`;
}

function copiesTable(copies: readonly ModuleCopyReport[]): string {
  if (copies.length === 0) return '';
  const rows = copies.map((copy, index) => [
    index,
    copy.sector,
    copy.isChosen ? `${copy.state}, used` : copy.state,
    copy.sequence ?? '-',
    copy.timeSeconds === null ? '-' : formatTime(copy.timeSeconds),
    copy.remapCount ?? '-',
  ]);
  return formatTable(['COPY', 'SECTOR', 'STATE', 'SEQUENCE', 'WRITTEN', 'REMAPS'], rows);
}

function remapsTable({ remaps }: ModuleSpareReport): string {
  if (remaps.length === 0) return '';
  const rows = remaps.map(
    (remap): RemapRow => [
      remap.mainSector ?? 'impossible',
      remap.spareSector ?? 'impossible',
      remap.state === 'unknown' ? '-' : remap.state,
      remap.doubts.length === 0 ? 'yes' : `no: ${remap.doubts.map(doubtText).join('; ')}${copiesText(remap)}`,
    ],
  );
  return formatTable(['MAIN SECTOR', 'SPARE SECTOR', 'STATE', 'TRUSTED'], withoutRepetitions(rows));
}

type RemapRow = readonly [
  mainSector: string | number,
  spareSector: string | number,
  state: string,
  trusted: string,
];

/** A record that was filled with one byte has hundreds of entries that say the same: one line says how many. */
function withoutRepetitions(rows: readonly RemapRow[]): RemapRow[] {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row.join('|'), (counts.get(row.join('|')) ?? 0) + 1);
  return [...counts].map(([key, count]): RemapRow => {
    const [mainSector, spareSector, state, trusted] = rows.find((row) => row.join('|') === key)!;
    const more = count === 1 ? '' : ` (${formatNumber(count)} entries say this)`;
    return [mainSector, spareSector, state, `${trusted}${more}`];
  });
}

function copiesText({ doubts, copies }: ModuleRemapReport): string {
  if (!doubts.includes('copiesDisagree')) return '';
  const places = copies.length === 0 ? ['the header of version 3'] : copies.map((copy) => `copy ${copy}`);
  return ` (in ${places.join(', ')})`;
}

function lostLine(device: string, sectors: readonly number[]): string[] {
  if (sectors.length === 0) return [];
  const count = formatCount(sectors.length, 'sector');
  return [`lost: ${count} could not be read from ${device}: main ${sectorsText(sectors)}`];
}

function sectorsText(sectors: readonly number[]): string {
  const ascending = [...new Set(sectors)].sort((one, other) => one - other);
  return `${ascending.length === 1 ? 'sector' : 'sectors'} ${formatSectorRanges(ascending, 1)}`;
}

function sections(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n');
}
