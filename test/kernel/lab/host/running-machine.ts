import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ToHost } from '../messages.js';
import type { Machine, RunningStep, StepEnd } from '../scenario.js';
import type { ConsoleLog } from './console-log.js';
import { GuestLink } from './guest-link.js';
import { type Hardware, qemuCommand } from './qemu-command.js';

export interface MachineOptions {
  readonly hardware: Hardware;
  /** The compiled scenario, which the guest sees under the same path. */
  readonly modulePath: string;
  /** For its socket. */
  readonly workDirectory: string;
  readonly consoleLog: ConsoleLog;
  readonly onRecord: (line: string) => void;
  readonly onSaid: (text: string) => void;
  /** A step that was begun and not waited for failed. */
  readonly onStepFailed: (message: string) => void;
}

/** A QEMU process with an agent inside. */
export class RunningMachine implements Machine {
  /** Fulfilled when the process is gone, however. */
  readonly gone: Promise<void>;
  private readonly options: MachineOptions;
  private readonly link: GuestLink;
  private readonly process: ChildProcess;
  private readonly steps = new Map<number, (end: StepEnd) => void>();
  private becomeReady: () => void = () => {};
  private readonly ready = new Promise<void>((resolve) => {
    this.becomeReady = resolve;
  });
  private wasReady = false;
  /** How much longer than on an idle host everything takes, judged by the boot. */
  slowness = 1;
  private nextStep = 1;
  private expectedToEnd = false;

  /** Comes back when the machine is switched on; `booted` says when it can be used. */
  static async switchOn(options: MachineOptions): Promise<RunningMachine> {
    let machine: RunningMachine | null = null;
    const socketPath = join(options.workDirectory, 'agent');
    const link = await GuestLink.listen(socketPath, (message) => machine?.hear(message));
    machine = new RunningMachine(options, link);
    return machine;
  }

  private constructor(options: MachineOptions, link: GuestLink) {
    this.options = options;
    this.link = link;
    const [program, ...args] = qemuCommand(options.hardware, { kind: 'agent', socketPath: link.socketPath });
    this.process = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout!.on('data', (chunk: Buffer) => options.consoleLog.hear(chunk));
    this.process.stderr!.on('data', (chunk: Buffer) => options.consoleLog.hear(chunk));
    this.gone = new Promise((resolve, reject) => {
      this.process.on('error', reject);
      this.process.on('close', () => {
        this.ended();
        resolve();
      });
    });
  }

  /** Comes back when the agent inside is ready: true; false, when the machine has ended before. */
  async booted(): Promise<boolean> {
    const startedMs = Date.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, MAX_BOOT_MS);
    });
    await Promise.race([this.ready, this.gone, late]);
    clearTimeout(timer);
    const tookMs = Date.now() - startedMs;
    if (this.hasEnded) return false;
    if (tookMs >= MAX_BOOT_MS) throw new Error(`the machine was not ready after ${tookMs / 1_000} s`);
    this.slowness = Math.min(BUSIER_LATER * Math.max(tookMs / IDLE_BOOT_MS, 1), MAX_SLOWNESS);
    return true;
  }

  async run(step: string, args: object = {}): Promise<unknown> {
    const end = await this.start(step, args);
    if (end.kind === 'done') return end.value;
    throw new Error(
      end.kind === 'failed' ? `step ${step}: ${end.message}` : `the machine ended during step ${step}`,
    );
  }

  begin(step: string, args: object = {}): RunningStep {
    const ended = this.start(step, args).then((end) => {
      if (end.kind === 'failed') this.options.onStepFailed(`step ${step}: ${end.message}`);
      return end;
    });
    return { ended };
  }

  async cutPower(): Promise<void> {
    if (this.hasEnded) return;
    this.expectedToEnd = true;
    this.process.kill('SIGKILL');
    await this.gone;
    for (const disk of this.options.hardware.disks) await disk.powerLost();
  }

  async powerOff(): Promise<void> {
    this.expectedToEnd = true;
    this.link.send({ kind: 'powerOff' });
    await this.gone;
    for (const disk of this.options.hardware.disks) await disk.powerOff();
  }

  /** For the report of a scenario that hangs. Comes back when the console has probably said it. */
  async showBlockedTasks(): Promise<void> {
    this.link.send({ kind: 'showBlockedTasks' });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }

  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  private start(step: string, args: object): Promise<StepEnd> {
    const id = this.nextStep++;
    return new Promise((resolve) => {
      if (this.hasEnded) return resolve({ kind: 'gone' });
      this.steps.set(id, resolve);
      this.link.send({
        kind: 'step',
        id,
        module: this.options.modulePath,
        step,
        args,
        slowness: this.slowness,
      });
    });
  }

  private hear(message: ToHost): void {
    switch (message.kind) {
      case 'ready':
        this.wasReady = true;
        return this.becomeReady();
      case 'record':
        this.options.onRecord(message.line);
        return this.link.send({ kind: 'recorded', id: message.id });
      case 'said':
        return this.options.onSaid(message.text);
      case 'done':
        return this.stepEnded(message.id, { kind: 'done', value: message.value });
      case 'failed':
        return this.stepEnded(message.id, { kind: 'failed', message: message.message });
    }
  }

  private stepEnded(id: number, end: StepEnd): void {
    this.steps.get(id)!(end);
    this.steps.delete(id);
  }

  private ended(): void {
    this.link.close();
    this.options.consoleLog.close();
    for (const tell of this.steps.values()) tell({ kind: 'gone' });
    this.steps.clear();
    if (this.wasReady && !this.expectedToEnd) this.options.onStepFailed('the machine ended by itself');
  }
}

/** Measured with TCG on an idle host with 2 cores: 8 s. */
const IDLE_BOOT_MS = 10_000;
/**
 * A host may become busier than it was during the boot. Time-outs are there to end what hangs: a scenario of 335 s was
 * cut off at 411 s in the midst of its work.
 */
const BUSIER_LATER = 3;
const MAX_SLOWNESS = 24;
const MAX_BOOT_MS = 600_000;
