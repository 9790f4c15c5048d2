import { formatNumber } from '../../base/format-count.js';
import { type Colour, coloured, type Output } from '../output.js';
import type { ModuleFigures } from './module-figures.js';
import { GIB_BYTES, MIB_BYTES, ratingOf } from './status-formats.js';

/** The sections and labels of the module's `dmremap-status`. What is not measured is a dash. */
export function humanStatus(f: ModuleFigures, out: Output): string {
  const rating = ratingOf(f.healthScore);
  const sections: readonly (readonly [string, Rows])[] = [
    [
      'DEVICE',
      [
        ['Device Version', f.version],
        ['Device Size', sizeOf(f.lengthSectors * f.sectorBytes)],
        ['Main Device', f.mainPath],
        ['Spare Device', f.sparePath],
        ['Spare Capacity', sizeOf(f.spareCapacitySectors * f.sectorBytes)],
      ],
    ],
    [
      'PERFORMANCE',
      [
        ['Avg Latency', latencyOf(f.averageLatencyNs)],
        ['Throughput', `${(f.throughputBytesPerSecond / MIB_BYTES).toFixed(1)} MB/s on average`],
        ['I/O Operations', formatNumber(f.ioOperations)],
      ],
    ],
    [
      'HEALTH',
      [
        ['Health Score', `${f.healthScore}/100 ${coloured(out, COLOURS[rating] ?? 'red', rating)}`],
        ['Operational State', f.state],
        ['Errors', formatNumber(f.errors)],
        ['Hotspots', NOT_MEASURED],
      ],
    ],
    [
      'REMAPPING',
      [
        ['Active Remaps', formatNumber(f.activeMappings)],
        ['Remapped I/O', NOT_MEASURED],
        ['Remapped Sectors', formatNumber(f.remappedSectors)],
        ['Total I/O', `${formatNumber(f.reads)} reads, ${formatNumber(f.writes)} writes`],
      ],
    ],
  ];
  return sections
    .map(([title, rows]) => `${coloured(out, 'bold', title)}\n${rows.map(lineOf).join('\n')}`)
    .join('\n');
}

type Rows = readonly (readonly [label: string, text: string])[];

function lineOf([label, text]: Rows[number]): string {
  return `  ${label.padEnd(LABEL_COLUMNS)}${text}`;
}

function latencyOf(latencyNs: number): string {
  return latencyNs === 0 ? NOT_MEASURED : `${(latencyNs / 1000).toFixed(1)} μs`;
}

function sizeOf(bytes: number): string {
  return bytes < GIB_BYTES ? `${(bytes / MIB_BYTES).toFixed(1)} MB` : `${(bytes / GIB_BYTES).toFixed(1)} GB`;
}

const COLOURS: Readonly<Record<string, Colour>> = {
  EXCELLENT: 'green',
  GOOD: 'green',
  FAIR: 'yellow',
  POOR: 'yellow',
};
const NOT_MEASURED = '-';
const LABEL_COLUMNS = 20;
