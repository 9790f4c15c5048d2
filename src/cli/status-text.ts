import { formatCount, formatNumber } from '../base/format-count.js';
import { labelOf } from '../control/client/pick-set.js';
import type { DeviceResource } from '../control/schema/device.js';
import type { EventListResource } from '../control/schema/events.js';
import { STATE_COLOUR } from './health.js';
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

function lostText({ unitsWithLostBlocks }: DeviceResource): string {
  if (unitsWithLostBlocks === 0) return 'no logical block';
  return `blocks of ${formatCount(unitsWithLostBlocks, 'unit')} ("dmremap lost" lists them)`;
}

function spareText({ freeSpareUnits, usableSpareUnits, retiredSpareUnits }: DeviceResource): string {
  const percent = usableSpareUnits === 0 ? 0 : (freeSpareUnits / usableSpareUnits) * 100;
  const retired = retiredSpareUnits === 0 ? '' : `; ${formatNumber(retiredSpareUnits)} went bad themselves`;
  return `${formatNumber(freeSpareUnits)} of ${formatCount(usableSpareUnits, 'unit')} free (${percent.toFixed(1)} %)${retired}`;
}

function sparesTable({ spares }: DeviceResource): string {
  const rows = spares.map(({ path, sizeBytes, model, serial }, index) => [
    index,
    path,
    formatSize(sizeBytes),
    model || '-',
    serial || '-',
  ]);
  return formatTable(['SPARE', 'PATH', 'SIZE', 'MODEL', 'SERIAL'], rows);
}

function eventsText(device: DeviceResource, events: EventListResource['events']): string {
  const last = events.filter(({ level }) => level !== 'info').slice(-SHOWN_EVENT_COUNT);
  if (last.length === 0) return '';
  const lines = last.map(({ timeMs, message }) => `  ${formatTime(Math.floor(timeMs / 1000))}  ${message}\n`);
  return `last events (all: dmremap events ${labelOf(device)})\n${lines.join('')}`;
}

const SHOWN_EVENT_COUNT = 5;
