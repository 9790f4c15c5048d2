import type { Guest } from './guest/guest.js';
import type { KernelName } from './kernel-name.js';

/**
 * One scenario: what happens inside a machine (`steps`), and what is done to the machine from outside (`host`). The
 * same module is imported on both sides. Without `host` one machine is booted, `main` runs (once for each frontend,
 * if there are any) and the power is switched off cleanly.
 */
export interface Scenario {
  /** As the file is called. */
  readonly name: string;
  /** One sentence: what is shown by it. */
  readonly about: string;
  readonly kernels: readonly KernelName[];
  /** Why the suite leaves it out, all of it or some parts, which is said then. They run when it is named. */
  readonly notInSuite?: string | Readonly<Partial<Record<SuitePart, string>>>;
  /** Ways of attaching a protected device that it is run with; none where it has nothing to do with them. */
  readonly frontends?: readonly Frontend[];
  /** Default 768. */
  readonly memoryMiB?: number;
  /** Default 2. */
  readonly processors?: number;
  /**
   * Process 1: the laboratory's own script, which runs steps and nothing else, or Debian's systemd with udev. Then a
   * disk called `etc`, with ext4 on it, is copied over /etc at boot, and `powerOff` is an orderly shutdown.
   */
  readonly init?: 'script' | 'systemd';
  /** Disks by name; the guest finds them by `diskPath(name)`. Their contents outlive power cuts. */
  readonly disks?: Readonly<Record<string, DiskOptions>>;
  /** What everything together may take on an idle host; a busy one is given several times as much. Default 180. */
  readonly timeoutSeconds?: number;
  /** Kernel messages that would fail the scenario otherwise (`kernel-complaints.ts`). */
  readonly expectedComplaints?: readonly RegExp[];
  readonly host?: (lab: Lab) => Promise<void>;
  readonly steps: Readonly<Record<string, Step>>;
}

/** Runs inside the machine. `args` and what it returns must survive JSON. Fails by throwing. */
export type Step = (guest: Guest, args: never) => Promise<unknown>;

/** A kernel, or one frontend on a kernel. */
export type SuitePart = KernelName | `${KernelName} ${Frontend}`;

/** How a protected device becomes a block device of the guest. */
export type Frontend = 'ublk' | 'nbd';

export interface DiskOptions {
  readonly sizeMiB: number;
  /** Default 512. */
  readonly logicalBlockBytes?: 512 | 4096;
  /** Default: virtio. A SCSI disk can be deleted and scanned for again inside the guest. */
  readonly bus?: 'virtio' | 'scsi';
  /**
   * A write cache that a power cut hurts: of what was not flushed, only a random part arrives, in any order, some of
   * it torn at 512 bytes. Without it a power cut loses nothing that the guest saw completed.
   */
  readonly isVolatile?: boolean;
}

/** What a scenario's `host` part works with. */
export interface Lab {
  readonly kernel: KernelName;
  /** The frontends this run is for. */
  readonly frontends: readonly Frontend[];
  /** Of everything random in this run: printed when it fails, and can be given (`--seed`). Not 0. */
  readonly seed: number;
  /** Numbers from 0 to `limit` - 1, out of the seed. */
  random(limit: number): number;
  /** Boots a machine on the scenario's disks; one at a time. */
  boot(): Promise<Machine>;
  /** What steps recorded so far, in order, over all boots. */
  readonly records: readonly string[];
  /** Waits until that many lines are recorded. */
  recordCount(count: number): Promise<void>;
  /** The file that holds a disk's contents; to be touched only while no machine runs. */
  diskImage(name: string): string;
  sleep(delayMs: number): Promise<void>;
  /** Shown by `npm run lab`, and when the scenario fails. */
  say(text: string): void;
}

/** A machine that runs. */
export interface Machine {
  /** Runs a step to its end and answers with what it returned; throws if it fails or the machine ends. */
  run(step: string, args?: object): Promise<unknown>;
  /** Starts a step that is meant to go on, until the power is cut for example. A failure of it fails the scenario. */
  begin(step: string, args?: object): RunningStep;
  /** As if the plug was pulled. */
  cutPower(): Promise<void>;
  /** Flushes nothing by itself but what the kernel flushes: unmount before. */
  powerOff(): Promise<void>;
}

export interface RunningStep {
  /** Never rejects. */
  readonly ended: Promise<StepEnd>;
}

export type StepEnd =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly message: string }
  /** The machine ended first. */
  | { readonly kind: 'gone' };

/** What everything together may take on an idle host. */
export function limitSeconds({ timeoutSeconds = 180 }: Scenario): number {
  return timeoutSeconds;
}

/** Gives a scenario its type. */
export function scenario(definition: Scenario): Scenario {
  return definition;
}
