import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { missingTools } from '../test/support/run-tool.js';
import type { Point } from './fio-point.js';
import { measurePoint } from './fio-point.js';
import type { Contenders } from './nbd-contenders.js';
import { prepareContenders } from './nbd-contenders.js';
import type { NbdBenchOptions } from './nbd-options.js';
import { NBD_BENCH_USAGE, parseNbdBenchOptions } from './nbd-options.js';
import type { NbdReport } from './nbd-report.js';
import { reportTable, rowReport } from './nbd-report.js';
import type { BenchRow } from './nbd-rows.js';
import { NBD_ROWS } from './nbd-rows.js';
import type { BenchServer } from './nbd-servers.js';

/**
 * Our NBD server beside others, on files in memory, with fio's nbd engine. Every repeat measures all servers one
 * after the other (in reverse order every second time), so that a disturbance of the machine hits all alike; only
 * ratios mean anything. Progress goes to stderr, the report to stdout. Resolves to the exit status.
 */
export async function nbdBench(args: string[]): Promise<number> {
  const options = parseNbdBenchOptions(args);
  if (!options.ok) return refuse(`${options.error}\nusage: ${NBD_BENCH_USAGE}`, 2);
  const missing = missingTools(['fio']);
  if (missing.length > 0) return refuse(missing.join('\n'), 1);
  const directory = temporaryDirectory();
  const contenders = await prepareContenders(options.value, directory, note);
  const report = await measureAll(options.value, contenders, directory);
  process.stdout.write(
    options.value.json ? `${JSON.stringify(report, undefined, 2)}\n` : reportTable(report),
  );
  return 0;
}

async function measureAll(
  options: NbdBenchOptions,
  contenders: Contenders,
  directory: string,
): Promise<NbdReport> {
  const startedAt = new Date().toISOString();
  const servers = [...contenders.own, ...contenders.peers];
  const rows = NBD_ROWS.filter((row) => options.rows.test(row.name));
  const points = new Map(rows.map((row) => [row, new Map(servers.map(({ name }) => [name, [] as Point[]]))]));
  for (let repeat = 0; repeat < options.repeats; repeat += 1) {
    for (const row of rows) {
      for (const server of repeat % 2 === 0 ? servers : servers.toReversed()) {
        note(`repeat ${repeat + 1} of ${options.repeats}: ${row.name}: ${server.name}`);
        const point = await measureServer(server, row, options, repeat, directory);
        points.get(row)?.get(server.name)?.push(point);
      }
    }
  }
  const peerNames = contenders.peers.map(({ name }) => name);
  return {
    version: 1,
    startedAt,
    machine: { cpus: cpus().length, model: cpus()[0]?.model ?? '', kernel: release(), node: process.version },
    seconds: options.seconds,
    repeats: options.repeats,
    sizeBytes: options.sizeBytes,
    rows: rows.map((row) => rowReport(row, points.get(row) ?? new Map(), peerNames)),
  };
}

async function measureServer(
  server: BenchServer,
  row: BenchRow,
  options: NbdBenchOptions,
  repeat: number,
  directory: string,
): Promise<Point> {
  const { sizeBytes, seconds } = options;
  const running = await server.start();
  try {
    return await measurePoint({ ioengine: 'nbd', uri: running.uri }, row, {
      sizeBytes,
      seconds,
      seed: repeat + 1,
      directory,
    });
  } finally {
    await running.stop();
  }
}

/** In memory, gigabytes large, and therefore gone however this process ends (short of SIGKILL). */
function temporaryDirectory(): string {
  const directory = mkdtempSync('/dev/shm/dmr-bench-');
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  return directory;
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function refuse(text: string, status: number): number {
  note(text);
  return status;
}
