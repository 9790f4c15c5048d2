import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DiskImages } from '../test/support/disk-images.js';
import { missingTools } from '../test/support/run-tool.js';
import type { Point } from './fio-point.js';
import { measurePoint } from './fio-point.js';
import type { NbdReport } from './nbd-report.js';
import { reportTable, rowReport } from './nbd-report.js';
import type { BenchRow } from './nbd-rows.js';
import { NBD_ROWS } from './nbd-rows.js';
import type { BenchServer } from './nbd-servers.js';
import { ours, peers } from './nbd-servers.js';
import { plantRemaps } from './plant-remaps.js';

/**
 * Our NBD server beside others, on files in memory, with fio's nbd engine. Every repeat measures all servers one
 * after the other (in reverse order every second time), so that a disturbance of the machine hits all alike; only
 * ratios mean anything. Resolves to the exit status.
 */
export async function nbdBench(args: string[]): Promise<number> {
  const options = parseOptions(args);
  const missing = missingTools(['fio', 'nbdinfo']);
  if (missing.length > 0) return refuse(missing.join('\n'));
  const directory = mkdtempSync('/dev/shm/dmr-bench-');
  try {
    const { servers, peerNames } = await prepareServers(options, directory);
    const report = await measureAll(options, servers, peerNames, directory);
    process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : reportTable(report));
    return 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface BenchOptions {
  readonly json: boolean;
  readonly seconds: number;
  readonly repeats: number;
  readonly rows: RegExp;
  readonly servers: RegExp;
  readonly sizeBytes: number;
}

const MANY_REMAPS = 100_000;
const SPARE_BYTES = 768 << 20;
const FILL_BYTES = 16 << 20;

function parseOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '5' },
      repeats: { type: 'string', default: '3' },
      rows: { type: 'string', default: '' },
      servers: { type: 'string', default: '' },
      'size-mib': { type: 'string', default: '1024' },
    },
  });
  return {
    json: values.json,
    seconds: Number(values.seconds),
    repeats: Number(values.repeats),
    rows: new RegExp(values.rows),
    servers: new RegExp(values.servers),
    sizeBytes: Number(values['size-mib']) * 2 ** 20,
  };
}

async function prepareServers(
  options: BenchOptions,
  directory: string,
): Promise<{ servers: BenchServer[]; peerNames: string[] }> {
  const servers: BenchServer[] = [];
  for (const remapCount of [0, MANY_REMAPS]) {
    const name = remapCount === 0 ? 'ours' : `ours, ${remapCount} remaps`;
    if (!options.servers.test(name)) continue;
    const sizes = { mainBytes: options.sizeBytes, spareBytes: SPARE_BYTES, directory };
    const images = await DiskImages.create({
      ...sizes,
      fillMain: (path) => fillFile(path, options.sizeBytes),
    });
    if (remapCount > 0) {
      note(`making ${remapCount} remaps`);
      await plantRemaps(images, remapCount);
    }
    servers.push(ours(name, images));
  }
  const wantedPeers = installedPeers(options, directory);
  return { servers: [...servers, ...wantedPeers], peerNames: wantedPeers.map((peer) => peer.name) };
}

function installedPeers(options: BenchOptions, directory: string): BenchServer[] {
  const filePath = join(directory, 'peer.img');
  fillFile(filePath, options.sizeBytes);
  return peers(filePath, directory).filter((peer) => {
    if (!options.servers.test(peer.name)) return false;
    const missing = peer.tool === undefined ? [] : missingTools([peer.tool]);
    for (const line of missing) note(`left out: ${line}`);
    return missing.length === 0;
  });
}

async function measureAll(
  options: BenchOptions,
  servers: BenchServer[],
  peerNames: string[],
  directory: string,
): Promise<NbdReport> {
  const startedAt = new Date().toISOString();
  const rows = NBD_ROWS.filter((row) => options.rows.test(row.name));
  const points = new Map(rows.map((row) => [row, new Map(servers.map(({ name }) => [name, [] as Point[]]))]));
  for (let repeat = 0; repeat < options.repeats; repeat += 1) {
    for (const row of rows) {
      for (const server of repeat % 2 === 0 ? servers : servers.toReversed()) {
        note(`repeat ${repeat + 1} of ${options.repeats}: ${row.name}: ${server.name}`);
        points
          .get(row)
          ?.get(server.name)
          ?.push(await measureServer(server, row, options, repeat, directory));
      }
    }
  }
  return {
    version: 1,
    startedAt,
    machine: { cpus: cpus().length, model: cpus()[0]?.model ?? '', kernel: release(), node: process.version },
    seconds: options.seconds,
    repeats: options.repeats,
    rows: rows.map((row) => rowReport(row, points.get(row) ?? new Map(), peerNames)),
  };
}

async function measureServer(
  server: BenchServer,
  row: BenchRow,
  options: BenchOptions,
  repeat: number,
  directory: string,
): Promise<Point> {
  const running = await server.start();
  try {
    const { sizeBytes, seconds } = options;
    return await measurePoint(running.uri, row, { sizeBytes, seconds, seed: repeat + 1, directory });
  } finally {
    await running.stop();
  }
}

/** Random contents, so that no server can take a short cut for zeroes or holes. */
function fillFile(path: string, sizeBytes: number): void {
  const file = openSync(path, 'w');
  const contents = randomBytes(FILL_BYTES);
  for (let offset = 0; offset < sizeBytes; offset += FILL_BYTES) {
    writeSync(file, contents, 0, Math.min(FILL_BYTES, sizeBytes - offset), offset);
  }
  closeSync(file);
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function refuse(text: string): number {
  note(text);
  return 1;
}
