import { median, ratio, times, whole } from './figures.js';
import type { Point } from './fio-point.js';
import type { BenchRow } from './nbd-rows.js';

/** Everything measured, and what follows from it; printed by `--json`. */
export interface NbdReport {
  /** Raised when the meaning or the name of a field changes. */
  readonly version: 1;
  readonly startedAt: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly seconds: number;
  readonly repeats: number;
  /** Of the files served. */
  readonly sizeBytes: number;
  readonly rows: readonly RowReport[];
}

export interface RowReport {
  readonly name: string;
  readonly unit: BenchRow['unit'];
  readonly servers: readonly ServerReport[];
}

export interface ServerReport {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median over the repeats of the 99th percentile of the completion latency. */
  readonly p99Us: number;
  /** Median divided by that of nbdkit, and of the fastest peer in this row; null where there is none. */
  readonly toNbdkit: number | null;
  readonly toBestPeer: number | null;
}

/** `pointsOf`: by server name, in the order they are to be shown. */
export function rowReport(
  row: BenchRow,
  pointsOf: ReadonlyMap<string, readonly Point[]>,
  peerNames: readonly string[],
): RowReport {
  const medianOf = (name: string) => median((pointsOf.get(name) ?? []).map((point) => point.value));
  const nbdkit = medianOf('nbdkit');
  const bestPeer = Math.max(...peerNames.map(medianOf).filter((value) => !Number.isNaN(value)));
  const servers = [...pointsOf].map(([name, points]): ServerReport => {
    const values = points.map((point) => point.value);
    const middle = median(values);
    return {
      name,
      median: middle,
      min: Math.min(...values),
      max: Math.max(...values),
      p99Us: median(points.map((point) => point.p99Us)),
      toNbdkit: ratio(middle, nbdkit),
      toBestPeer: ratio(middle, bestPeer),
    };
  });
  return { name: row.name, unit: row.unit, servers };
}

/** The report as a table for people. */
export function reportTable(report: NbdReport): string {
  const lines = [
    `${report.repeats} interleaved repeats of ${report.seconds} s; median [min-max], ratios of medians`,
  ];
  for (const row of report.rows) {
    lines.push('', `${row.name} (${row.unit})`, ...row.servers.map(serverLine));
  }
  return `${lines.join('\n')}\n`;
}

function serverLine(server: ServerReport): string {
  const range = `[${whole(server.min)}-${whole(server.max)}]`;
  return [
    `  ${server.name.padEnd(20)}`,
    whole(server.median).padStart(9),
    range.padEnd(19),
    `p99 ${whole(server.p99Us).padStart(7)} us`,
    `nbdkit x ${times(server.toNbdkit)}`,
    `best peer x ${times(server.toBestPeer)}`,
  ].join('  ');
}
