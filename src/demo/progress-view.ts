import { formatNumber } from '../base/format-count.js';
import type { Output } from '../cli/output.js';
import { coloured } from '../cli/output.js';
import { formatSize } from '../cli/sizes.js';
import type { DeviceStatus } from '../library/device-types.js';
import type { Tally } from './workload.js';

/** What is shown at one moment. */
export interface Snapshot {
  readonly title: string;
  /** How far it is, such as `about 5 s left`. */
  readonly progress: string;
  readonly requestsPerSecond: number;
  readonly tally: Tally;
  readonly status: DeviceStatus;
}

/** On a terminal a few lines that are drawn over and over; elsewhere now and then a line. */
export class ProgressView {
  readonly #output: Output;
  #drawnLines = 0;
  #nextPlainAtMs = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  show(snapshot: Snapshot, nowMs: number): void {
    if (this.#output.isTerminal) this.#draw(blockOf(snapshot, this.#output));
    else if (nowMs >= this.#nextPlainAtMs) {
      this.#nextPlainAtMs = nowMs + PLAIN_PAUSE_MS;
      this.#output.write(plainLineOf(snapshot));
    }
  }

  /** The end of a phase: leaves what is drawn where it is; what comes next goes below. */
  finish(snapshot: Snapshot, nowMs: number): void {
    this.#nextPlainAtMs = 0;
    this.show(snapshot, nowMs);
    this.#drawnLines = 0;
  }

  #draw(lines: readonly string[]): void {
    const up = this.#drawnLines === 0 ? '' : `\u001b[${this.#drawnLines}A`;
    const text = lines.map((line) => `\r\u001b[2K${line}\n`).join('');
    // Lines that are too long are cut off: a wrapped one would take two, and the next drawing would miss the start.
    this.#output.write(`\u001b[?7l${up}${text}\u001b[?7h`);
    this.#drawnLines = lines.length;
  }
}

function blockOf(snapshot: Snapshot, output: Output): string[] {
  const { tally, status } = snapshot;
  const { counters } = status;
  const wrong = `${formatNumber(tally.problemCount)} wrong answers`;
  return [
    coloured(output, 'bold', `  ${snapshot.title}`) + coloured(output, 'dim', `  ${snapshot.progress}`),
    `  I/O           ${ioText(snapshot)}`,
    `  disk errors   ${formatNumber(counters.mainReadErrors)} on reading, ${formatNumber(counters.mainWriteErrors)} on writing, ${formatNumber(spareErrors(status))} on the spare; ${formatNumber(counters.retries)} retries`,
    `  moved         ${remapsText(status)}`,
    `  lost          ${formatNumber(counters.blocksLost)} blocks were unreadable, ${formatNumber(counters.blocksRegained)} of them written anew since`,
    `  spare left    ${sparesText(status)}`,
    `  seen outside  ${tally.problemCount === 0 ? coloured(output, 'green', wrong) : coloured(output, 'red', wrong)}, ${formatNumber(tally.lostAnswers)} errors for lost blocks`,
  ];
}

function plainLineOf(snapshot: Snapshot): string {
  const { title, progress, tally, status } = snapshot;
  const errors = status.counters.mainReadErrors + status.counters.mainWriteErrors + spareErrors(status);
  return `  ${title}: ${ioText(snapshot)}; ${formatNumber(errors)} disk errors, ${formatNumber(status.remappedUnits)} units moved, ${formatNumber(tally.problemCount)} wrong answers; ${progress}\n`;
}

function ioText({ tally, requestsPerSecond }: Snapshot): string {
  const verified = formatSize(tally.bytesVerified);
  return `${formatNumber(tally.requests)} requests, ${formatNumber(requestsPerSecond)} per second, ${verified} verified`;
}

export function remapsText({ remappedUnits, counters }: DeviceStatus): string {
  const { remapsOfWrites, remapsOfReads, remapsOfSpares } = counters;
  const causes = `${formatNumber(remapsOfWrites)} when writing, ${formatNumber(remapsOfReads)} when reading`;
  const again = remapsOfSpares === 0 ? '' : `, ${formatNumber(remapsOfSpares)} from a bad place on the spare`;
  return `${formatNumber(remappedUnits)} units of the disk live on the spare (${causes}${again})`;
}

export function sparesText({ freeSpareUnits, usableSpareUnits, retiredSpareUnits }: DeviceStatus): string {
  const bad = retiredSpareUnits === 0 ? '' : `; ${formatNumber(retiredSpareUnits)} turned out bad`;
  return `${formatNumber(freeSpareUnits)} of ${formatNumber(usableSpareUnits)} units${bad}`;
}

function spareErrors({ counters }: DeviceStatus): number {
  return counters.spareReadErrors + counters.spareWriteErrors;
}

const PLAIN_PAUSE_MS = 2000;
