import { writeFileSync } from 'node:fs';
import { Background } from './background.js';
import { type CommandEnd, type CommandOptions, runCommand } from './command.js';

/**
 * What a step works with, inside the machine. Devices have functions of their own (`brd.ts`, `device-mapper.ts` ...)
 * that take it. What a step made is taken down at its end, last first, if it succeeded; after a failure everything is
 * left as it is, for whoever looks.
 */
export class Guest {
  private readonly host: { say(text: string): void; record(line: string): Promise<void> };
  private undoing: (() => Promise<void>)[] = [];
  private readonly programs: Background[] = [];

  constructor(host: { say(text: string): void; record(line: string): Promise<void> }) {
    this.host = host;
  }

  /** Runs a program to its end; throws, with the command and all it said, unless it ends with status 0. */
  async run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandEnd> {
    const startedMs = Date.now();
    this.say(`$ ${argv.join(' ')}`);
    const end = await runCommand(argv, options);
    const tookMs = Date.now() - startedMs;
    if (tookMs > WORTH_SAYING_MS) this.say(`  took ${(tookMs / 1_000).toFixed(1)} s`);
    return end;
  }

  /** Starts a program that goes on. It is killed when the step ends. */
  start(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Background {
    this.say(`$ ${argv.join(' ')} &`);
    const program = new Background(argv, environment);
    this.programs.push(program);
    this.atEnd(async () => {
      program.kill('SIGKILL');
      await program.finish();
    });
    return program;
  }

  /** Loads a module; a second time does nothing. */
  async modprobe(module: string, ...parameters: readonly string[]): Promise<void> {
    await this.run(['modprobe', module, ...parameters]);
  }

  /** Sysfs, configfs, procfs: one write, whose error is thrown. */
  write(path: string, text: string): void {
    try {
      writeFileSync(path, text);
    } catch (error) {
      throw new Error(`writing "${text}" to ${path}: ${(error as Error).message}`);
    }
  }

  /** Shown by `npm run lab`, and when the scenario fails. */
  say(text: string): void {
    this.host.say(text);
  }

  /** When the promise is fulfilled, the line is known outside the machine and survives its power cut. */
  record(line: string): Promise<void> {
    return this.host.record(line);
  }

  /** Has something done at the end of the step. */
  atEnd(undo: () => Promise<void>): void {
    this.undoing.push(undo);
  }

  /** Leaves everything that was made so far for later steps on this machine. */
  keep(): void {
    this.undoing = [];
  }

  /** For the agent, when the step has failed: what programs that went on beside it said last. */
  sayLastWords(): void {
    for (const program of this.programs) for (const line of program.lastWords()) this.say(line);
  }

  /** For the agent. */
  async undo(): Promise<void> {
    for (const one of this.undoing.splice(0).reverse()) await one();
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

const WORTH_SAYING_MS = 2_000;
