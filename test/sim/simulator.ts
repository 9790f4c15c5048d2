import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Runs the built simulator in a process of its own. */
export function simulate(args: readonly string[]): Promise<SimulatorOutcome> {
  const program = join(import.meta.dirname, '../../dist/sim/main.js');
  const child = spawn(process.execPath, [program, '--json', '--no-shrink', ...args]);
  let output = '';
  let errors = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    errors += data;
  });
  return new Promise((resolve) => {
    child.on('close', (status) => {
      const report = output === '' ? undefined : (JSON.parse(output) as SimulatorReport);
      resolve({ status, report, errors });
    });
  });
}

export interface SimulatorOutcome {
  readonly status: number | null;
  readonly report: SimulatorReport | undefined;
  readonly errors: string;
}

export interface SimulatorReport {
  readonly seedCount: number;
  readonly failedSeed?: number;
  readonly check?: string;
  readonly message?: string;
}
