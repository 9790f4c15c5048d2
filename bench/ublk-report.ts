import { median, ratio, times, whole } from './figures.js';
import type { Point } from './fio-point.js';
import type { BenchRow } from './nbd-rows.js';

/** Everything measured, and what follows from it; printed by `--json`. */
export interface UblkReport {
  /** Raised when the meaning or the name of a field changes. */
  readonly version: 1;
  readonly startedAt: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly seconds: number;
  readonly rounds: number;
  /** Of the RAM disks. */
  readonly sizeBytes: number;
  /** Of the set that has some. */
  readonly remapCount: number;
  readonly rows: readonly UblkRowReport[];
}

export interface UblkRowReport {
  readonly name: string;
  readonly unit: BenchRow['unit'];
  readonly contenders: readonly UblkContenderReport[];
}

export interface UblkContenderReport {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median divided by that of the RAM disk itself, and of the C peer; null where that was not measured. */
  readonly toRaw: number | null;
  readonly toPeer: number | null;
}

/** `pointsOf`: by contender, in the order they are to be shown. */
export function ublkRowReport(row: BenchRow, pointsOf: ReadonlyMap<string, readonly Point[]>): UblkRowReport {
  const medianOf = (name: string) => median((pointsOf.get(name) ?? []).map((point) => point.value));
  const [raw, peer] = [medianOf('raw'), medianOf('ublk, C peer')];
  const contenders = [...pointsOf].map(([name, points]): UblkContenderReport => {
    const values = points.map((point) => point.value);
    const middle = median(values);
    return {
      name,
      median: middle,
      min: Math.min(...values),
      max: Math.max(...values),
      toRaw: ratio(middle, raw),
      toPeer: ratio(middle, peer),
    };
  });
  return { name: row.name, unit: row.unit, contenders };
}

/** The report as a table for people. */
export function ublkReportTable(report: UblkReport): string {
  const { kernel, accelerator } = report.machine;
  const lines = [
    `Linux ${kernel} in QEMU (${accelerator}), ${report.rounds} interleaved rounds of ${report.seconds} s,`,
    `"remaps": ${report.remapCount}; median [min-max], ratios of medians`,
  ];
  for (const row of report.rows) {
    lines.push('', `${row.name} (${row.unit})`, ...row.contenders.map(contenderLine));
  }
  return `${lines.join('\n')}\n`;
}

function contenderLine(contender: UblkContenderReport): string {
  const range = `[${whole(contender.min)}-${whole(contender.max)}]`;
  return [
    `  ${contender.name.padEnd(20)}`,
    whole(contender.median).padStart(9),
    range.padEnd(19),
    `raw x ${times(contender.toRaw)}`,
    `C peer x ${times(contender.toPeer)}`,
  ].join('  ');
}
