import { formatCount, formatNumber } from '../base/format-count.js';
import type { Health } from '../library/judge-health.js';
import type { InspectReport } from '../library/offline-types.js';
import { STATE_COLOUR } from './health.js';
import type { Output } from './output.js';
import { coloured } from './output.js';
import { formatSize } from './sizes.js';
import { formatFields, formatTable } from './table.js';
import { formatTime } from './time.js';

/** The report in the shape that `zpool status` has made familiar: state, what it means, what to do, then the tables. */
export function inspectText(report: InspectReport, health: Health, output: Output): string {
  const state = coloured(output, STATE_COLOUR[health.state], health.state.toUpperCase());
  const fields: [string, string][] = [
    ['set', report.name === '' ? report.setId : `${report.name} (${report.setId})`],
    ['state', state],
    ...health.findings.flatMap(({ status, action }): [string, string][] => [
      ['status', status],
      ['action', action],
    ]),
    ['main', deviceText(report.main)],
    ['units', unitsText(report)],
    ['spare', spareText(report)],
    ['lost', lostText(report)],
    [
      'format',
      `version ${report.formatVersion}, sequence ${report.sequence}, generation ${report.generation}`,
    ],
    ['created', formatTime(report.createdSeconds)],
    ['updated', `${formatTime(report.updatedSeconds)}, opened ${formatCount(report.openCount, 'time')}`],
  ];
  const sections = [
    formatFields(fields, output.columns),
    sparesTable(report),
    copiesTable(report),
    countersTable(report),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function deviceText({ sizeBytes, model, serial, wwn }: InspectReport['main']): string {
  const identity = [model, serial && `serial ${serial}`, wwn && `WWN ${wwn}`].filter((part) => part !== '');
  return [
    formatSize(sizeBytes),
    ...(identity.length === 0 ? ['an image file or no identity known'] : identity),
  ].join(', ');
}

function unitsText({ remaps, unitBytes, logicalBlockBytes }: InspectReport): string {
  const byReason = new Map<string, number>();
  for (const { reason } of remaps) byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
  const reasons = [...byReason].map(([reason, count]) => `${formatNumber(count)} ${reason}`).join(', ');
  const sizes = `units of ${formatSize(unitBytes)}, logical blocks of ${formatSize(logicalBlockBytes)}`;
  return `${formatNumber(remaps.length)} remapped${reasons === '' ? '' : ` (${reasons})`}; ${sizes}`;
}

function spareText({ freeSpareUnits, usableSpareUnits, retiredSpareUnits }: InspectReport): string {
  const percent = usableSpareUnits === 0 ? 0 : (freeSpareUnits / usableSpareUnits) * 100;
  const retired = retiredSpareUnits === 0 ? '' : `; ${formatNumber(retiredSpareUnits)} went bad themselves`;
  return `${formatNumber(freeSpareUnits)} of ${formatCount(usableSpareUnits, 'unit')} free (${percent.toFixed(1)} %)${retired}`;
}

function lostText({ remaps }: InspectReport): string {
  const units = remaps.filter((remap) => remap.lostSectors.length > 0);
  const blockCount = units.reduce((sum, remap) => sum + remap.lostSectors.length, 0);
  return blockCount === 0
    ? 'no logical block'
    : `${formatCount(blockCount, 'logical block')} in ${formatCount(units.length, 'unit')}`;
}

function sparesTable({ spares }: InspectReport): string {
  const rows = spares.map((one) => [
    one.index,
    one.path ?? '(not given)',
    formatSize(one.sizeBytes),
    one.uuid,
  ]);
  return formatTable(['SPARE', 'PATH', 'SIZE', 'UUID'], rows);
}

function copiesTable({ copies }: InspectReport): string {
  const rows = copies.map((copy) => [
    copy.index,
    copy.spareIndex,
    copy.offsetBytes,
    copy.superblock,
    copy.goodPages,
    copy.badPages,
  ]);
  return formatTable(['COPY', 'SPARE', 'OFFSET', 'SUPERBLOCK', 'GOOD PAGES', 'BAD PAGES'], rows);
}

/** Only what has happened; everything is in the JSON. */
function countersTable({ counters }: InspectReport): string {
  const rows = Object.entries(counters)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => [name, value]);
  return rows.length === 0 ? '' : formatTable(['COUNTER', 'VALUE'], rows);
}
