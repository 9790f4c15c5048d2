import { join } from 'node:path';
import { xorshift } from '../../../support/xorshift.js';
import type { KernelName } from '../kernel-name.js';
import type { Frontend, Lab, Machine, Scenario } from '../scenario.js';
import type { Accelerator } from './accelerator.js';
import { cacheDirectory } from './cache-directory.js';
import { ConsoleLog } from './console-log.js';
import { type Disk, plainDisk } from './disk.js';
import type { Kernel } from './kernel.js';
import { RunningMachine } from './running-machine.js';
import { systemdFiles } from './systemd-packages.js';
import { volatileDisk } from './volatile-disk.js';

export interface LabOptions {
  readonly scenario: Scenario;
  readonly modulePath: string;
  readonly kernel: Kernel;
  readonly accelerator: Accelerator;
  readonly frontends: readonly Frontend[];
  readonly seed: number;
  readonly workDirectory: string;
  /** Shows console and steps as they happen. */
  readonly show: boolean;
}

/** Everything around the machines of one run of one scenario. */
export class ScenarioLab implements Lab {
  readonly kernel: KernelName;
  readonly frontends: readonly Frontend[];
  readonly seed: number;
  readonly records: string[] = [];
  /** What the scenario and its steps said. */
  readonly said: string[] = [];
  /** Console logs of all machines, in order. */
  readonly consoleLogs: ConsoleLog[] = [];
  /** What happened behind the scenario's back; the first one fails it. */
  readonly troubles: string[] = [];
  /** Of the slowest boot so far; the scenario's time is longer by it. */
  slowness = 1;
  private readonly options: LabOptions;
  private readonly disks = new Map<string, Disk>();
  private readonly nextRandom: () => number;
  private machine: RunningMachine | null = null;
  private readonly startedMs = Date.now();
  /** Of boots that are over. */
  private bootedMs = 0;
  private bootStartedMs: number | null = null;
  private onRecords: (() => void)[] = [];

  static async make(options: LabOptions): Promise<ScenarioLab> {
    const lab = new ScenarioLab(options);
    for (const [name, disk] of Object.entries(options.scenario.disks ?? {})) {
      const make = disk.isVolatile ? volatileDisk : plainDisk;
      lab.disks.set(name, await make(name, disk, options.workDirectory, lab));
    }
    return lab;
  }

  private constructor(options: LabOptions) {
    this.options = options;
    this.kernel = options.kernel.name;
    this.frontends = options.frontends;
    this.seed = options.seed;
    this.nextRandom = xorshift(options.seed);
  }

  random(limit: number): number {
    return this.nextRandom() % limit;
  }

  /**
   * Under emulation a kernel now and then panics seconds after power-on, before anything of ours has run: the machine is
   * switched on once more then, and says so.
   */
  async boot(): Promise<Machine> {
    if (this.machine?.hasEnded === false) throw new Error('the machine before still runs');
    let machine = await this.bootOnce();
    if (machine === undefined && this.mayBootAgain) {
      this.sayHowItEnded();
      machine = await this.bootOnce();
    }
    if (machine === undefined) throw new Error('the machine ended before it was ready');
    this.slowness = Math.max(this.slowness, machine.slowness);
    return machine;
  }

  private async bootOnce(): Promise<RunningMachine | undefined> {
    const { scenario, kernel, accelerator, modulePath, workDirectory } = this.options;
    const consoleLog = this.newConsoleLog();
    const machine = await RunningMachine.switchOn({
      hardware: {
        kernel,
        accelerator,
        memoryMiB: scenario.memoryMiB ?? 768,
        processors: scenario.processors ?? 2,
        disks: [...this.disks.values()],
        systemdFiles: scenario.init === 'systemd' ? await systemdFiles() : undefined,
      },
      modulePath,
      workDirectory,
      consoleLog,
      onRecord: (line) => this.recorded(line),
      onSaid: (text) => this.say(text),
      onStepFailed: (message) => this.troubles.push(message),
    });
    this.machine = machine;
    return (await this.whileBooting(machine.booted())) ? machine : undefined;
  }

  /** systemd starts programs of ours while it boots. */
  private get mayBootAgain(): boolean {
    return this.options.accelerator === 'tcg' && this.options.scenario.init !== 'systemd';
  }

  /** For the report; what that machine's kernel said is no complaint about the scenario. */
  private sayHowItEnded(): void {
    console.log(
      `${this.options.scenario.name}: the machine ended while it booted, and is switched on again:`,
    );
    for (const line of this.consoleLogs.pop()!.tail(40)) console.log(`    ${line}`);
  }

  /** How long the scenario has worked: since it started, without the time that booting took. */
  get workedSeconds(): number {
    const sinceMs = this.bootStartedMs ?? Date.now();
    return (sinceMs - this.startedMs - this.bootedMs) / 1_000;
  }

  async recordCount(count: number): Promise<void> {
    while (this.records.length < count) await new Promise<void>((resolve) => this.onRecords.push(resolve));
  }

  diskImage(name: string): string {
    return this.disks.get(name)!.imagePath;
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, delayMs));
  }

  say(text: string): void {
    this.said.push(text);
    if (this.options.show) console.log(`   ${text}`);
  }

  async showBlockedTasks(): Promise<void> {
    await this.machine?.showBlockedTasks();
  }

  /** Ends whatever still runs. */
  async close(): Promise<void> {
    await this.machine?.cutPower();
    for (const disk of this.disks.values()) await disk.close();
  }

  private async whileBooting(booted: Promise<boolean>): Promise<boolean> {
    this.bootStartedMs = Date.now();
    const isReady = await booted;
    this.bootedMs += Date.now() - this.bootStartedMs;
    this.bootStartedMs = null;
    return isReady;
  }

  private newConsoleLog(): ConsoleLog {
    const { scenario, kernel, show } = this.options;
    const name = `boot-${this.consoleLogs.length + 1}.log`;
    const log = new ConsoleLog(join(cacheDirectory, 'logs', `${scenario.name}-${kernel.name}`, name), show);
    this.consoleLogs.push(log);
    return log;
  }

  private recorded(line: string): void {
    this.records.push(line);
    for (const tell of this.onRecords.splice(0)) tell();
  }
}
