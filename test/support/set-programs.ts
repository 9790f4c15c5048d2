import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, truncateSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { DiskImages } from './disk-images.js';
import { dmremapProgram } from './dmremap-program.js';
import { type ToolOutcome, tryTool } from './run-tool.js';

/** Runs the program on disk images, with a run and a state directory beside them, so that a test finds its own set only. */
export class SetPrograms {
  readonly #images: DiskImages;

  constructor(images: DiskImages) {
    this.#images = images;
  }

  /** `dmremap run` over NBD, with the faults of `faults` if there are any. Resolves when it serves. */
  async serve(mainPath: string, spares: readonly string[]): Promise<ChildProcess> {
    const devices = ['--main', mainPath, ...spares.flatMap((path) => ['--spare', path])];
    const scenario = existsSync(this.#faultsPath) ? ['--faults', this.#faultsPath] : [];
    const child = this.spawn(
      'run',
      ...devices,
      '--nbd',
      `nbd+unix:///?socket=${this.socketPath}`,
      ...scenario,
    );
    for await (const line of createInterface(child.stdout!)) if (line.startsWith('ready ')) return child;
    throw new Error('the server did not start');
  }

  /** To its end. */
  dmremap(...args: string[]): Promise<ToolOutcome> {
    return tryTool(process.execPath, [dmremapProgram(), ...args], { environment: this.#environment });
  }

  /** Not waited for. */
  spawn(...args: string[]): ChildProcess {
    return spawn(process.execPath, [dmremapProgram(), ...args], {
      stdio: ['ignore', 'pipe', process.env.DMREMAP_DEBUG === '1' ? 'inherit' : 'ignore'],
      env: this.#environment,
    });
  }

  /** The scenario of what is served from now on, in YAML. */
  faults(text: string): void {
    writeFileSync(this.#faultsPath, text);
  }

  /** A file of zeroes. */
  image(name: string, sizeBytes: number): string {
    const path = this.#images.path(name);
    writeFileSync(path, '');
    truncateSync(path, sizeBytes);
    return path;
  }

  get socketPath(): string {
    return this.#images.path('nbd.sock');
  }

  get #faultsPath(): string {
    return this.#images.path('faults.yaml');
  }

  get #environment(): NodeJS.ProcessEnv {
    const { directory } = this.#images;
    return { ...process.env, RUNTIME_DIRECTORY: `${directory}/run`, STATE_DIRECTORY: `${directory}/state` };
  }
}

/** Sends a signal to a process that still runs, and waits for its end. */
export async function endBy(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = exitOf(child);
  child.kill(signal);
  await exited;
}

/** Its status; null where a signal ended it. */
export function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', resolve));
}
