import type { Result } from '../base/result.js';
import type { Procedure, Target } from '../engine/effect.js';
import { performAll } from '../engine/effect.js';
import { noteOffsetBytes, TEXT_NOTE_BYTES } from '../format/layout.js';
import type { Superblock } from '../format/superblock.js';
import {
  chooseSuperblock,
  type SuperblockChoice,
  type SuperblockChoiceFailure,
} from '../format/superblock-choice.js';
import type { ScannedDevice } from '../format/superblock-evidence.js';
import { judgeNote, type NoteState } from '../format/text-note.js';
import type { IoMemory } from '../ports/io-memory.js';
import { type BlockFinding, findPageTrouble, findSuperblockTrouble, PageFindings } from './block-findings.js';
import { scanDevice } from './find-superblock.js';
import { type ReadMap, readMap } from './read-map.js';

/**
 * Looks at every block of every copy of a set and says of each what it is. Judges what a start would judge, by the same
 * code, yet stops at nothing that can still be looked at. Writes nothing.
 */
export function* surveySet(input: SurveyInput): Procedure<SetSurvey> {
  const scanned: ScannedDevice[] = [];
  for (const device of input.devices) scanned.push(yield* scanDevice(input, device));
  const found = chooseSuperblock(scanned);
  const choice = found.ok ? found.value : 'choice' in found.error ? found.error.choice : undefined;
  if (choice === undefined) return { scanned, found, set: undefined };
  const { superblock } = choice;
  const pages = new PageFindings(superblock.copies.length, superblock.generation);
  const map = yield* readMap(
    {
      ...input,
      acceptVersions: (page, versions, chosen) => findPageTrouble(pages, page, versions, chosen),
    },
    choice,
  );
  const notes = yield* readNotes(input, choice);
  const superblocks = findSuperblockTrouble(choice, scanned);
  return { scanned, found, set: { ...map, notes, findings: [...superblocks, ...pages.take()] } };
}

export interface SurveyInput {
  readonly devices: readonly { readonly target: Target; readonly sizeBytes: number }[];
  readonly memory: IoMemory;
  /** Room for `RECOVERY_READ_BYTES` of each copy. */
  readonly bufferOffset: number;
}

export interface SetSurvey {
  /** By device, what lies at its anchors. */
  readonly scanned: readonly ScannedDevice[];
  readonly found: Result<SuperblockChoice, SuperblockChoiceFailure>;
  /** Undefined: no superblock counts, or more than one claims to. */
  readonly set: SurveyedSet | undefined;
}

export interface SurveyedSet extends ReadMap {
  /** By copy; undefined where its spare is missing. */
  readonly notes: readonly (NoteState | undefined)[];
  readonly findings: readonly BlockFinding[];
}

/** May the set be used? */
export function stateOf({ found, set }: SetSurvey): SurveyState {
  if (set === undefined) return 'unusable';
  const { load, intake, choice, findings, notes } = set;
  if (load.lostPages.length > 0 || intake.impossible.length > 0) return 'unusable';
  const isOutdated = choice.superblock.cleanShutdown && load.maybeOutdatedPages.length > 0;
  if (!found.ok || isOutdated) return 'doubtful';
  const notesAreWell = notes.every((note) => note === 'current');
  const isWhole = findings.length === 0 && intake.supersededPages.length === 0 && notesAreWell;
  return isWhole ? 'clean' : 'damaged';
}

export type SurveyState =
  /** Every block of every copy is as it should be. */
  | 'clean'
  /** Nothing is missing; what is damaged or old is written anew at the next start, or by a repair. */
  | 'damaged'
  /** Complete, if what is there is the newest: a start needs `--force`. */
  | 'doubtful'
  /** Part of the map, or all of it, is gone. */
  | 'unusable';

function* readNotes(input: SurveyInput, choice: SuperblockChoice): Procedure<(NoteState | undefined)[]> {
  const { superblock } = choice;
  const targets = superblock.copies.map(
    (copy) => input.devices[choice.deviceOfSpare[copy.spareIndex]!]?.target,
  );
  const there = targets.flatMap((target, copyIndex) => (target === undefined ? [] : [{ target, copyIndex }]));
  const results = yield* performAll(
    there.map(({ target, copyIndex }) => ({
      kind: 'read',
      target,
      offsetBytes: noteOffsetBytes(superblock.copies[copyIndex]!),
      lengthBytes: TEXT_NOTE_BYTES,
      memoryOffset: input.bufferOffset + copyIndex * TEXT_NOTE_BYTES,
    })),
  );
  const notes = new Array<NoteState | undefined>(targets.length).fill(undefined);
  for (const [nth, { copyIndex }] of there.entries())
    notes[copyIndex] = results[nth]! < 0 ? 'unreadable' : noteAt(input, superblock, copyIndex);
  return notes;
}

function noteAt({ memory, bufferOffset }: SurveyInput, superblock: Superblock, copyIndex: number): NoteState {
  const at = bufferOffset + copyIndex * TEXT_NOTE_BYTES;
  return judgeNote(memory.bytes.subarray(at, at + TEXT_NOTE_BYTES), superblock, copyIndex);
}
