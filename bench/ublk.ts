import { cpus } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accelerator } from '../test/kernel/lab/host/accelerator.js';
import { kernel } from '../test/kernel/lab/host/kernel.js';
import { runScenario } from '../test/kernel/lab/host/run-scenario.js';
import type { Lab, Machine } from '../test/kernel/lab/scenario.js';
import type { Point } from './fio-point.js';
import type { BenchRow } from './nbd-rows.js';
import { UBLK_CONTENDER_NAMES, type UblkContenderName } from './ublk-contenders.js';
import { prepareHost } from './ublk-host.js';
import type { UblkBenchOptions } from './ublk-options.js';
import { parseUblkBenchOptions, UBLK_BENCH_USAGE } from './ublk-options.js';
import type { UblkReport } from './ublk-report.js';
import { ublkReportTable, ublkRowReport } from './ublk-report.js';
import { UBLK_ROWS } from './ublk-rows.js';
import scenario, { type MeasureArgs, type PrepareArgs } from './ublk-scenario.js';

/**
 * Our ublk device beside others, all on RAM disks of one virtual machine, with fio's io_uring engine. All of them are up
 * all the time; every round measures each row on one after the other (in reverse order every second time), so that a
 * disturbance of the machine hits all alike. Only ratios mean anything. Progress goes to stderr, the report to stdout.
 * Resolves to the exit status.
 */
export async function ublkBench(args: string[]): Promise<number> {
  const parsed = parseUblkBenchOptions(args);
  if (!parsed.ok) return refuse(`${parsed.error}\nusage: ${UBLK_BENCH_USAGE}`, 2);
  const options = parsed.value;
  const contenders = UBLK_CONTENDER_NAMES.filter((name) => options.contenders.test(name));
  const hostParts = await prepareHost(options, contenders, note);
  let output = '';
  const found = {
    scenario: {
      ...scenario,
      memoryMiB: memoryMiB(options),
      timeoutSeconds: timeoutSeconds(options, contenders.length),
      host: async (lab: Lab) => {
        const machine = await lab.boot();
        note('preparing the devices');
        await machine.run('prepare', {
          ...hostParts,
          contenders,
          sizeMiB: options.sizeMiB,
        } satisfies PrepareArgs);
        output = options.threads
          ? await accountAll(machine, options, contenders)
          : await compareAll(machine, options, contenders);
        await machine.powerOff();
      },
    },
    modulePath: fileURLToPath(new URL('./ublk-scenario.js', import.meta.url)),
  };
  const outcome = await runScenario(found, { kernel: options.kernel, frontends: [], seed: 1, show: false });
  if (outcome.failure !== null) return refuse([outcome.failure, ...outcome.details].join('\n'), 1);
  process.stdout.write(output);
  return 0;
}

async function compareAll(
  machine: Machine,
  options: UblkBenchOptions,
  contenders: readonly UblkContenderName[],
): Promise<string> {
  const startedAt = new Date().toISOString();
  const rows = rowsOf(options);
  const points = new Map(rows.map((row) => [row, new Map(contenders.map((name) => [name, [] as Point[]]))]));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const row of rows) {
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
        const point = (await machine.run('measure', measureArgs(contender, row, options, round))) as Point;
        points.get(row)!.get(contender)!.push(point);
        note(
          `round ${round + 1} of ${options.rounds}: ${row.name}: ${contender}: ${Math.round(point.value)} ${row.unit}`,
        );
      }
    }
  }
  await machine.run('finish');
  const report: UblkReport = {
    version: 1,
    startedAt,
    machine: await machineOf(options),
    seconds: options.seconds,
    rounds: options.rounds,
    sizeBytes: options.sizeMiB * 2 ** 20,
    remapCount: options.remapCount,
    rows: rows.map((row) => ublkRowReport(row, points.get(row)!)),
  };
  return options.json ? `${JSON.stringify(report, undefined, 2)}\n` : ublkReportTable(report);
}

async function accountAll(
  machine: Machine,
  options: UblkBenchOptions,
  contenders: readonly UblkContenderName[],
): Promise<string> {
  const lines: string[] = [];
  for (const row of rowsOf(options)) {
    for (const contender of contenders) {
      const args = measureArgs(contender, row, options, 0);
      lines.push(`${row.name}: ${contender}`, ...((await machine.run('account', args)) as string[]));
    }
  }
  await machine.run('finish');
  return `${lines.join('\n')}\n`;
}

function rowsOf(options: UblkBenchOptions): readonly BenchRow[] {
  return UBLK_ROWS.filter((row) => options.rows.test(row.name));
}

function measureArgs(
  contender: UblkContenderName,
  row: BenchRow,
  { sizeMiB, seconds }: UblkBenchOptions,
  round: number,
): MeasureArgs {
  return { contender, row, sizeBytes: sizeMiB * 2 ** 20, seconds, seed: round + 1 };
}

async function machineOf(options: UblkBenchOptions): Promise<UblkReport['machine']> {
  const { modulesDirectory, imagePath } = await kernel(options.kernel);
  const how = await accelerator(imagePath);
  return {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? '',
    kernel: basename(modulesDirectory),
    accelerator: how,
    node: process.version,
  };
}

/** RAM disks: three main devices, the relocated units, metadata; and the system. */
function memoryMiB({ sizeMiB, remapCount }: UblkBenchOptions): number {
  return sizeMiB * 3 + Math.ceil(remapCount / 256) + 1024;
}

function timeoutSeconds({ seconds, rounds }: UblkBenchOptions, contenderCount: number): number {
  return 900 + rounds * UBLK_ROWS.length * contenderCount * (seconds + 10);
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function refuse(text: string, status: number): number {
  note(text);
  return status;
}
