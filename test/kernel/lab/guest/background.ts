import { type ChildProcess, spawn } from 'node:child_process';
import type { CommandEnd } from './command.js';
import { patienceMs } from './patience.js';

/** A program that goes on beside the step: a server, a workload. */
export class Background {
  readonly name: string;
  readonly ended: Promise<CommandEnd>;
  stdout = '';
  stderr = '';
  private readonly child: ChildProcess;
  private end: CommandEnd | null = null;
  private waiting: (() => void)[] = [];

  constructor([program, ...args]: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.name = [program, ...args].join(' ');
    this.child = spawn(program!, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => this.hear('stdout', text));
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => this.hear('stderr', text));
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (status, signal) => {
        this.end = { stdout: this.stdout, stderr: this.stderr, status, signal };
        this.wake();
        resolve(this.end);
      });
    });
    // Whoever waits hears of a program that could not be started; nobody has to wait.
    this.ended.catch(() => {});
  }

  get pid(): number {
    return this.child.pid!;
  }

  get hasEnded(): boolean {
    return this.end !== null;
  }

  /** Waits for a line of its standard output; throws, with all it said, if it ends before or takes too long. */
  async line(pattern: RegExp, timeoutSeconds = 60): Promise<RegExpMatchArray> {
    const deadlineMs = Date.now() + patienceMs(timeoutSeconds);
    for (;;) {
      const complete = this.stdout.slice(0, this.stdout.lastIndexOf('\n') + 1);
      const match = complete
        .split('\n')
        .map((line) => line.match(pattern))
        .find((found) => found !== null);
      if (match) return match;
      if (this.end !== null) throw this.failure(`ended before it said ${pattern}`);
      if (Date.now() >= deadlineMs) throw this.failure(`did not say ${pattern} within ${timeoutSeconds} s`);
      await this.news(deadlineMs);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for its end; throws, with all it said, if that takes too long. */
  async finish(timeoutSeconds = 60): Promise<CommandEnd> {
    const deadlineMs = Date.now() + patienceMs(timeoutSeconds);
    while (this.end === null) {
      if (Date.now() >= deadlineMs) throw this.failure(`did not end within ${timeoutSeconds} s`);
      await Promise.race([this.ended, this.news(deadlineMs)]);
    }
    return this.end;
  }

  failure(what: string): Error {
    return new Error(`${this.name}\n${what}\n${this.stdout.slice(-4_000)}${this.stderr.slice(-4_000)}`);
  }

  /** For the report of a failure: how it is and what it said last; nothing of one that ended well. */
  lastWords(): string[] {
    if (this.end?.status === 0) return [];
    const state =
      this.end === null ? 'goes on' : `ended with ${this.end.signal ?? `status ${this.end.status}`}`;
    const lines = [this.stdout, this.stderr].flatMap((text) => text.trimEnd().split('\n').slice(-LAST_LINES));
    return [`-- ${this.name}: ${state}`, ...lines.filter((line) => line !== '')];
  }

  private hear(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    this.wake();
  }

  private wake(): void {
    for (const one of this.waiting.splice(0)) one();
  }

  private news(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, deadlineMs - Date.now()));
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

const LAST_LINES = 10;
