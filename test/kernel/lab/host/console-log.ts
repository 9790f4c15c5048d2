import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { isComplaint } from './kernel-complaints.js';

/** What one machine says on its serial console: kept in a file, watched for complaints of the kernel. */
export class ConsoleLog {
  readonly path: string;
  /** Lines of the kernel that say it is in trouble. */
  readonly complaints: string[] = [];
  private readonly fd: number;
  private readonly show: boolean;
  private last: string[] = [];
  private rest = '';

  /** `show`: also on this program's output. */
  constructor(path: string, show: boolean) {
    mkdirSync(dirname(path), { recursive: true });
    this.path = path;
    this.fd = openSync(path, 'w');
    this.show = show;
  }

  hear(chunk: Buffer): void {
    writeSync(this.fd, chunk);
    if (this.show) process.stdout.write(chunk);
    const lines = (this.rest + chunk.toString('latin1')).split(/\r*\n/);
    this.rest = lines.pop()!;
    for (const line of lines) this.hearLine(line);
  }

  close(): void {
    if (this.rest !== '') this.hearLine(this.rest);
    closeSync(this.fd);
  }

  /** The last lines, for the report of a failure. */
  tail(count: number): string[] {
    return this.last.slice(-count);
  }

  private hearLine(line: string): void {
    if (!NOISE.test(line)) this.last.push(line);
    if (this.last.length > MAX_KEPT_LINES) this.last = this.last.slice(-MAX_KEPT_LINES / 2);
    if (isComplaint(line)) this.complaints.push(line);
  }
}

const MAX_KEPT_LINES = 400;
/** A table with many bad sectors has hundreds of these. */
const NOISE = /caused an alignment inconsistency/;
