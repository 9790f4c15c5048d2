import type { DeviceNotice } from '../library/device-types.js';
import type { JobMemory } from './jobs/job-memory.js';
import type { RememberedEvacuation } from './jobs/remembered-jobs.js';

/**
 * Which disk a set is being copied to: the process that serves the set next, after a crash or for an upgrade, begins to
 * copy again. After a stop in order somebody has to agree first, because the disk may have been put to another use
 * meanwhile; when the machine was started anew, if the disk does not hold what was being copied to it.
 */
export class EvacuationMemory {
  readonly #jobs: JobMemory;
  /** Of the kernel; another one after a reboot. */
  readonly #bootId: string;
  /** Whose positions were given up, whoever keeps one of them later. */
  readonly #lostCopyIds = new Set<string>();

  constructor(jobs: JobMemory, bootId: string) {
    this.#jobs = jobs;
    this.#bootId = bootId;
  }

  keep(target: EvacuationTarget): Promise<void> {
    const kept = { bootId: this.#bootId, isPaused: false, isStopped: false };
    return this.#jobs.change({ evacuation: this.#withoutLost({ ...target, ...kept }) });
  }

  read(): RememberedEvacuation | undefined {
    return this.#jobs.jobs.evacuation ?? undefined;
  }

  /** As it was: nothing has come of what was kept since. */
  restore(before: RememberedEvacuation | undefined): Promise<void> {
    return this.#jobs.change({ evacuation: before === undefined ? null : this.#withoutLost(before) });
  }

  /** Of what is remembered. */
  get needsConsent(): boolean {
    return this.read()?.isStopped === true || this.isOfEarlierBoot;
  }

  /** The machine was started anew since. */
  get isOfEarlierBoot(): boolean {
    const kept = this.read();
    return kept !== undefined && kept.bootId !== this.#bootId;
  }

  /** It is copied from the start, and gone on with by this number. */
  noteCopyId(copyId: string): Promise<void> {
    return this.#change({ copyId });
  }

  notePaused(isPaused: boolean): Promise<void> {
    return this.#change({ isPaused });
  }

  /** The process ends in order. */
  noteStopped(): Promise<void> {
    return this.#change({ isStopped: true });
  }

  /** What has failed or was given up is not begun again, and without its position only from the start. */
  notice({ event }: Pick<DeviceNotice, 'event'>): void {
    if (event === 'evacuationFailed' || event === 'evacuationCancelled') void this.forget();
    if (event === 'evacuationPositionLost') this.#losePosition();
  }

  #losePosition(): void {
    const { copyId } = this.read() ?? {};
    if (typeof copyId === 'string') this.#lostCopyIds.add(copyId);
    void this.#change({ copyId: null });
  }

  #withoutLost(evacuation: RememberedEvacuation): RememberedEvacuation {
    const { copyId } = evacuation;
    return copyId !== null && this.#lostCopyIds.has(copyId) ? { ...evacuation, copyId: null } : evacuation;
  }

  async forget(): Promise<void> {
    if (this.read() !== undefined) await this.#jobs.change({ evacuation: null });
  }

  async #change(changes: Partial<RememberedEvacuation>): Promise<void> {
    const kept = this.read();
    if (kept === undefined) return;
    await this.#jobs.change({ evacuation: this.#withoutLost({ ...kept, ...changes }) });
  }
}

export interface EvacuationTarget {
  /** Absolute path. */
  readonly device: string;
  /** Of `identifyDisk`. */
  readonly identity: string;
  readonly copyId: string | null;
}
