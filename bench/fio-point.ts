import { runTool } from '../test/support/run-tool.js';
import type { BenchRow } from './nbd-rows.js';
import { remapsEndBytes } from './plant-remaps.js';

/** One measurement with fio, after a second to warm up. Throws if fio saw an error. */
export async function measurePoint(target: FioTarget, row: BenchRow, plan: PointPlan): Promise<Point> {
  const args = {
    name: 'point',
    ...target,
    rw: `${row.access === 'random' ? 'rand' : ''}${row.operation}`,
    bs: row.blockBytes,
    iodepth: row.depth,
    numjobs: row.jobs,
    ...placeOptions(row, plan.sizeBytes),
    runtime: plan.seconds,
    ramp_time: 1,
    randseed: plan.seed,
    'output-format': 'json',
  };
  const options = Object.entries(args).map(([name, value]) => `--${name}=${value}`);
  const report = await runTool('fio', [...options, '--time_based', '--group_reporting', '--norandommap'], {
    directory: plan.directory,
    timeoutMs: (plan.seconds + 60) * 1000,
  });
  // Some versions print notes before the JSON.
  const [job] = (JSON.parse(report.slice(report.indexOf('{'))) as FioReport).jobs;
  if (job === undefined || job.error !== 0)
    throw new Error(`fio failed on ${Object.values(target).join(' ')}: error ${job?.error}`);
  const side = job[row.operation];
  return {
    value: row.unit === 'IOPS' ? side.iops : side.bw_bytes / 1e6,
    p99Us: (side.clat_ns.percentile?.['99.000000'] ?? 0) / 1000,
  };
}

function placeOptions(row: BenchRow, sizeBytes: number): Record<string, number> {
  const remapsEnd = remapsEndBytes(sizeBytes);
  if (row.place === 'clear') return { offset: remapsEnd, size: sizeBytes - remapsEnd };
  const every = row.place === 'betweenRemaps' ? 2 * row.blockBytes : row.blockBytes;
  return { size: remapsEnd, blockalign: every };
}

/** fio's options that say what the load goes to. */
export type FioTarget =
  | { readonly ioengine: 'nbd'; readonly uri: string }
  | { readonly ioengine: 'io_uring'; readonly filename: string; readonly direct: 1 };

export interface PointPlan {
  readonly sizeBytes: number;
  readonly seconds: number;
  readonly seed: number;
  /** fio's working directory. */
  readonly directory: string;
}

export interface Point {
  /** In the unit of the row. */
  readonly value: number;
  readonly p99Us: number;
}

interface FioReport {
  readonly jobs: readonly (Record<'read' | 'write', FioSide> & { readonly error: number })[];
}

interface FioSide {
  readonly iops: number;
  readonly bw_bytes: number;
  readonly clat_ns: { readonly percentile?: Readonly<Record<string, number>> };
}
