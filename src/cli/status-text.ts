import { formatCount, formatNumber } from '../base/format-count.js';
import { commandLine } from '../base/shell-words.js';
import { labelOf } from '../control/client/pick-set.js';
import type { DeviceResource } from '../control/schema/device.js';
import type { EventListResource } from '../control/schema/events.js';
import type { JobReport } from '../control/schema/jobs.js';
import { forecastText } from '../runtime/forecast-text.js';
import { progressText } from './follow-evacuation.js';
import { STATE_COLOUR } from './health.js';
import { jobName, jobProgressText } from './job-text.js';
import { coloured, type Output } from './output.js';
import { formatSize } from './sizes.js';
import { formatFields, formatTable } from './table.js';
import { formatTime } from './time.js';

/** How a set at work is doing, in the shape of `zpool status`. */
export function statusText(device: DeviceResource, events: EventListResource['events'], out: Output): string {
  const { health } = device;
  const fields: [string, string][] = [
    ['set', device.name === '' ? device.setId : `${device.name} (${device.setId})`],
    ['state', coloured(out, STATE_COLOUR[health.state], health.state.toUpperCase())],
    ...health.findings.flatMap(({ status, action }): [string, string][] => [
      ['status', status],
      ['action', action],
    ]),
    ['served', servedText(device)],
    ['main', memberText(device.main)],
    ...evacuationFields(device),
    ...device.jobs.filter(isWorthALine).map(jobField),
    ['moved', `${formatCount(device.remappedUnits, 'unit')} of ${formatSize(device.unitBytes)}`],
    ['lost', lostText(device)],
    ['spare', spareText(device)],
  ];
  return [formatFields(fields, out.columns), sparesTable(device), eventsText(device, events)]
    .filter((part) => part !== '')
    .join('\n');
}

function servedText({ endpoints, processId, startedSeconds }: DeviceResource): string {
  const where = endpoints.map(({ address }) => address).join(', ');
  return `${where === '' ? 'nowhere' : where}, by process ${processId} since ${formatTime(startedSeconds)}`;
}

function memberText({ path, sizeBytes, model, serial, wwn }: DeviceResource['main']): string {
  const identity = [model, serial && `serial ${serial}`, wwn && `WWN ${wwn}`].filter((part) => part !== '');
  return [path, formatSize(sizeBytes), ...identity].join(', ');
}

/** What was said of evacuation and emptying already is not said again. */
function isWorthALine({ kind, state, progress }: JobReport): boolean {
  if (state === 'paused') return kind !== 'evacuation' || progress.total === 0;
  return kind === 'evacuation' ? false : state === 'running' || state === 'failed';
}

function jobField(job: JobReport): [string, string] {
  const why = job.problem === null ? '' : `: ${job.problem}`;
  return ['job', `${job.id}, ${jobName(job)}: ${jobProgressText(job)}${why}`];
}

/** While it goes on, and while it waits for somebody. */
function evacuationFields({ evacuation, gone }: DeviceResource): [string, string][] {
  switch (evacuation?.state) {
    case 'copying':
      return [['copied', `to ${evacuation.path}: ${progressText(evacuation, 0, 0)}${wayOut(gone)}`]];
    case 'copied':
      return [['copied', `to ${evacuation.path}, which takes over with "dmremap evacuate" for this set`]];
    case 'incomplete':
      return [['copied', `to ${evacuation.path}, not all: ${evacuation.problem}`]];
    default:
      return [];
  }
}

/** Nobody may ever bring the main device back. */
function wayOut(gone: DeviceResource['gone']): string {
  const canBeGivenUp = gone.some(({ spareIndex, readsPass }) => spareIndex === null && !readsPass);
  return canBeGivenUp
    ? '; if the main device is gone for good: "dmremap evacuate --accept-loss" for this set'
    : '';
}

function lostText({ unitsWithLostBlocks }: DeviceResource): string {
  if (unitsWithLostBlocks === 0) return 'no logical block';
  return `blocks of ${formatCount(unitsWithLostBlocks, 'unit')} ("dmremap lost" lists them)`;
}

function spareText(device: DeviceResource): string {
  const { freeSpareUnits, usableSpareUnits, retiredSpareUnits, sparesFull } = device;
  const percent = usableSpareUnits === 0 ? 0 : (freeSpareUnits / usableSpareUnits) * 100;
  const retired = retiredSpareUnits === 0 ? '' : `; ${formatNumber(retiredSpareUnits)} went bad themselves`;
  return `${formatNumber(freeSpareUnits)} of ${formatCount(usableSpareUnits, 'unit')} free (${percent.toFixed(1)} %)${retired}${sparesFull === null ? '' : `; ${forecastText(sparesFull)}`}`;
}

function sparesTable({ spares, ...device }: DeviceResource): string {
  const rows = spares.map(({ path, sizeBytes, model, serial }, index) => [
    index,
    path,
    formatSize(sizeBytes),
    model || '-',
    serial || '-',
    takesUnitsText(index, device),
  ]);
  return formatTable(['SPARE', 'PATH', 'SIZE', 'MODEL', 'SERIAL', 'TAKES UNITS'], rows);
}

function takesUnitsText(
  index: number,
  { emptying, gone, takingNone }: Pick<DeviceResource, 'emptying' | 'gone' | 'takingNone'>,
): string {
  const isIt = ({ spareIndex }: { readonly spareIndex: number | null }): boolean => spareIndex === index;
  const leftUnits = emptying.find(isIt)?.leftUnits;
  if (leftUnits !== undefined)
    return leftUnits === 0 ? 'no, it is empty' : `no, ${formatNumber(leftUnits)} to go`;
  if (gone.some(isIt)) return 'no, it does not answer';
  const refusal = takingNone.find(isIt)?.refusal;
  if (refusal === undefined) return 'yes';
  return refusal === null ? 'no, it is full' : `no, it refuses writes (${refusal})`;
}

function eventsText(device: DeviceResource, events: EventListResource['events']): string {
  const last = events.filter(({ level }) => level !== 'info').slice(-SHOWN_EVENT_COUNT);
  if (last.length === 0) return '';
  const lines = last.map(({ timeMs, message }) => `  ${formatTime(Math.floor(timeMs / 1000))}  ${message}\n`);
  return `last events (all: ${commandLine(['dmremap', 'events', labelOf(device)])})\n${lines.join('')}`;
}

const SHOWN_EVENT_COUNT = 5;
