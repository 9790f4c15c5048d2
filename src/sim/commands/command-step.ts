import type { FaultStep } from '../history.js';
import type { EvacuationStep } from './evacuation-step.js';
import type { HandStep } from './hand-step.js';
import type { SetStep } from './setting-step.js';
import type { ShiftStep } from './shift-step.js';
import type { SpareStep } from './spare-step.js';
import type { QuietStep, RecordingStep, TurnsStep } from './turns-step.js';

/** What an administrator does to a set. In the middle of the workload, or between two lives of the process. */
export type CommandStep =
  | ScrubStep
  | HandStep
  | ShiftStep
  | TurnsStep
  | QuietStep
  | RecordingStep
  | OfflineStep
  | SpareStep
  | SetStep
  | EvacuationStep;

export interface ScrubStep {
  readonly kind: 'scrub';
  /** Everything is let come to rest first, and nothing else happens until it has come to its end. */
  readonly isAlone: boolean;
  /** Events that happen after it has begun, where it is not alone. */
  readonly events: number;
}

/** The process ends, commands are given that no process may be at work for, and the next one starts. */
export interface OfflineStep {
  readonly kind: 'offline';
  readonly how: 'kill' | 'powerCut' | 'stop';
  /** What happens to the disks before the commands. */
  readonly faults: readonly FaultStep[];
  readonly commands: readonly OfflineCommand[];
}

export interface OfflineCommand {
  /**
   * `restoreEdited`: the text was changed by a person, who left all units where they are (`edit-dump.ts`). `wipe...`: everything, all
   * superblocks or all pages of the metadata are destroyed after the dump, and the set is restored from that.
   */
  readonly command: 'repair' | 'restore' | 'restoreEdited' | Wipe;
  /** It does not come to its end. */
  readonly interruption?: { readonly how: 'kill' | 'powerCut'; readonly events: number };
}

export type Wipe = 'wipeAll' | 'wipeSuperblocks' | 'wipePages';

export const WIPES: readonly Wipe[] = ['wipeAll', 'wipeSuperblocks', 'wipePages'];
