import { closeSync, openSync, writeSync } from 'node:fs';
import { formatCount, formatNumber } from '../base/format-count.js';
import type { Output } from '../cli/output.js';
import { formatSize } from '../cli/sizes.js';
import type { DeviceStatus, ProtectedDevice } from '../library/device-types.js';
import { formatSpares, openDevice } from '../library/index.js';
import { BLOCK_BYTES, BlockModel } from './block-model.js';
import type { DemoFiles } from './demo-files.js';
import { NbdClient } from './nbd-client.js';
import type { PlantedFaults } from './planted-faults.js';
import { ProgressView, remapsText, sparesText } from './progress-view.js';
import { Random } from './random.js';
import { Workload } from './workload.js';

export interface DemonstrationOptions {
  readonly files: DemoFiles;
  readonly seed: number;
  /** Of random requests, before and after the restart together. */
  readonly workSeconds: number;
  readonly output: Output;
  /** A person wants it to end now. */
  readonly isInterrupted: () => boolean;
}

/**
 * The whole story: a device over a disk full of bad sectors, a workload that compares every byte, a restart in
 * between, the comparison again. Leaves the device open and serving.
 */
export class Demonstration {
  readonly #options: DemonstrationOptions;
  readonly #view: ProgressView;
  #device: ProtectedDevice;
  #client: NbdClient;
  readonly #model: BlockModel;
  readonly #workload: Workload;

  static async start(options: DemonstrationOptions): Promise<Demonstration> {
    const { files } = options;
    const model = new BlockModel(files.mainSizeBytes / BLOCK_BYTES, files.faults);
    writeArchive(files.main, model);
    await formatSpares({ main: files.main, spares: [files.spare], name: 'demo' });
    const device = await openServed(files);
    return new Demonstration(options, model, device, await connectTo(files));
  }

  private constructor(
    options: DemonstrationOptions,
    model: BlockModel,
    device: ProtectedDevice,
    client: NbdClient,
  ) {
    this.#options = options;
    this.#view = new ProgressView(options.output);
    this.#model = model;
    this.#device = device;
    this.#client = client;
    this.#workload = new Workload(
      client,
      model,
      new Random(options.seed + 1),
      badBlocksOf(options.files.faults),
    );
  }

  /** True if every byte was verified and the map survived the restart. */
  async run(): Promise<boolean> {
    const { workSeconds } = this.#options;
    await this.#work('reading and writing', workSeconds * 0.6);
    await this.#verify('reading everything back');
    const survived = await this.#restart();
    await this.#verify('reading everything back after the restart');
    await this.#work('reading and writing on', workSeconds * 0.4);
    await this.#verify('reading everything back a last time');
    const isRight = survived && this.#workload.tally.problemCount === 0 && !this.#options.isInterrupted();
    this.#summarise(isRight, await this.#device.status());
    return isRight;
  }

  async close(): Promise<void> {
    await this.#client.disconnect();
    await this.#device.close();
  }

  async #work(title: string, seconds: number): Promise<void> {
    const endMs = performance.now() + seconds * 1000;
    const progress = () => `about ${Math.max(0, Math.ceil((endMs - performance.now()) / 1000))} s left`;
    const isOver = () => performance.now() >= endMs || this.#options.isInterrupted();
    await this.#watched(title, progress, this.#workload.run(isOver));
  }

  async #verify(title: string): Promise<void> {
    if (this.#options.isInterrupted()) return;
    const progress = () => `${Math.floor(this.#workload.verifiedShare * 100)} %`;
    await this.#watched(title, progress, this.#workload.verifyAll());
  }

  async #restart(): Promise<boolean> {
    if (this.#options.isInterrupted()) return false;
    const before = await this.#device.status();
    await this.close();
    this.#device = await openServed(this.#options.files);
    this.#client = await connectTo(this.#options.files);
    this.#workload.reconnected(this.#client);
    const after = await this.#device.status();
    const survived =
      after.remappedUnits === before.remappedUnits && after.freeSpareUnits === before.freeSpareUnits;
    const units = formatCount(before.remappedUnits, 'moved unit');
    const text = survived
      ? `${units}, all known again`
      : `${units} before, ${formatNumber(after.remappedUnits)} after`;
    this.#options.output.write(`  device closed and opened again: ${text}\n`);
    return survived;
  }

  /** Shows what happens until the task is done. */
  async #watched(title: string, progress: () => string, task: Promise<void>): Promise<void> {
    const { tally } = this.#workload;
    const from = { atMs: performance.now(), requests: tally.requests };
    const snapshot = async () => {
      const status = await this.#device.status();
      const seconds = (performance.now() - from.atMs) / 1000;
      const requestsPerSecond = Math.round((tally.requests - from.requests) / Math.max(seconds, 0.001));
      return { title, progress: progress(), requestsPerSecond, tally, status };
    };
    const ended = task.then(() => true);
    while (!(await Promise.race([ended, pause(REDRAW_MS)])))
      this.#view.show(await snapshot(), performance.now());
    this.#view.finish(await snapshot(), performance.now());
  }

  #summarise(isRight: boolean, status: DeviceStatus): void {
    const { output, isInterrupted } = this.#options;
    const { tally, problems } = this.#workload;
    const lost = formatCount(this.#model.lostBlockCount, 'block');
    const lines = [
      '',
      'What happened',
      `  ${formatCount(tally.requests, 'request')}: ${formatSize(tally.bytesWritten)} written, ${formatSize(tally.bytesVerified)} read and compared.`,
      `  The images gave ${formatCount(errorCount(status), 'error')}; ${remapsText(status)}.`,
      `  ${lost} were unreadable from the start and never written since: they give an error, and only they.`,
      `  Spare left: ${sparesText(status)}.`,
      `  ${verdict(isRight, isInterrupted())}`,
      ...problems.map((problem) => `  WRONG: ${problem}`),
    ];
    output.write(`${lines.join('\n')}\n`);
  }
}

function errorCount({ counters }: DeviceStatus): number {
  const { mainReadErrors, mainWriteErrors, spareReadErrors, spareWriteErrors } = counters;
  return mainReadErrors + mainWriteErrors + spareReadErrors + spareWriteErrors;
}

function verdict(isRight: boolean, isInterrupted: boolean): string {
  if (isRight) return 'No write failed, and every byte is what was written, before and after the restart.';
  return isInterrupted ? 'Interrupted: not everything was verified.' : 'Something went wrong: see below.';
}

/** What the disk holds before dm-remap comes: it is adopted as it is. */
function writeArchive(path: string, model: BlockModel): void {
  const file = openSync(path, 'r+');
  const contents = model.currentContents(model.archiveFirst, model.blockCount - model.archiveFirst);
  writeSync(file, contents, 0, contents.length, model.archiveFirst * BLOCK_BYTES);
  closeSync(file);
}

async function openServed(files: DemoFiles): Promise<ProtectedDevice> {
  const device = await openDevice({ main: files.main, spares: [files.spare], faults: files.faultsFile });
  await device.serveNbd(files.uri);
  return device;
}

function connectTo(files: DemoFiles): Promise<NbdClient> {
  return NbdClient.connect({ address: { path: files.socket } });
}

function badBlocksOf({ dead, unwritable, pending, weak, slow }: PlantedFaults): number[] {
  return [dead, unwritable, pending, weak, slow.slice(0, 1)].flat().map(({ first }) => first);
}

function pause(delayMs: number): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, delayMs, false));
}

const REDRAW_MS = 200;
