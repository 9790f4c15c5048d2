import { commandLine } from '../base/shell-words.js';
import type { ScannedSet } from '../library/scan-types.js';
import type { AnswerOf } from './answer-schemas.js';
import type { BackgroundOutcome } from './background-run.js';
import { labelOf } from './scan-verdict.js';

/** What `assemble` has done about one set, or would do. */
export type AssembledSet = AnswerOf<'assemble'>['sets'][number];

/** For a person: a command, or what there is now. */
export function assembledText({ setId, name, outcome, ...set }: AssembledSet): string {
  const label = labelOf({ setId, name });
  switch (outcome) {
    case 'servedAlready':
      return `${label}: is served already`;
    case 'wouldStart':
      return set.command ?? '';
    case 'started':
      return set.processId === null
        ? `${label}: started, by ${set.command}`
        : `${label}: ready ${set.endpoints.join(', ')}, process ${set.processId}`;
    case 'failed':
      return `${label}: ${set.problem}`;
  }
}

export function servedAlready(set: ScannedSet): AssembledSet {
  return { ...nothingOf(set), outcome: 'servedAlready' };
}

export function wouldStart(set: ScannedSet, words: readonly string[]): AssembledSet {
  return { ...nothingOf(set), outcome: 'wouldStart', command: runCommand(words) };
}

export function wouldStartService(set: ScannedSet, unit: string): AssembledSet {
  return { ...nothingOf(set), outcome: 'wouldStart', command: `systemctl start ${unit}` };
}

export function started(
  set: ScannedSet,
  words: readonly string[],
  { processId, addresses }: Extract<BackgroundOutcome, { kind: 'ready' }>,
): AssembledSet {
  return {
    ...nothingOf(set),
    outcome: 'started',
    command: runCommand(words),
    processId,
    endpoints: addresses,
  };
}

/** Where it is served only systemd's unit says. */
export function startedService(set: ScannedSet, unit: string): AssembledSet {
  return { ...nothingOf(set), outcome: 'started', command: `systemctl start ${unit}` };
}

export function notStarted(set: ScannedSet, problem: string): AssembledSet {
  return { ...nothingOf(set), outcome: 'failed', problem };
}

function nothingOf({ setId, name }: ScannedSet): Omit<AssembledSet, 'outcome'> {
  return { setId, name, command: null, endpoints: [], processId: null, problem: null };
}

function runCommand(words: readonly string[]): string {
  return commandLine(['dmremap', 'run', ...words]);
}
