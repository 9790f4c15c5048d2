import { dumpSourceOf } from '../../device/dump-source.js';
import { offlineWork } from '../../device/offline-work.js';
import { readDump, type SetDump } from '../../device/read-dump.js';
import { canRestoreInPlace, restoreInPlace } from '../../device/restore-in-place.js';
import { formatDump } from '../../device/set-dump.js';
import { type SetSurvey, stateOf } from '../../device/survey-set.js';
import { writeSetAnew } from '../../device/write-set-anew.js';
import { check } from '../check-failure.js';
import { coldMemory, ioMemory } from '../machine-memory.js';
import type { OfflineCommand } from './command-step.js';
import { editDump } from './edit-dump.js';
import type { OfflineSession } from './offline-session.js';
import { wipeMetadata } from './wipe-metadata.js';

/**
 * Dumps the set, makes the metadata what the text says, if need be after all of them were destroyed, and looks whether
 * they are. One that is cut off leaves the set as it was before, or no set, or the new one, and is made again.
 */
export function restore(session: OfflineSession, how: Exclude<OfflineCommand['command'], 'repair'>): void {
  const { machine, old, growing, settings, statistics, ledger } = session.parts;
  statistics.restores += 1;
  const before = session.surveyUsable();
  const map = session.readMap();
  const dumped = textOf(dumpSourceOf(before));
  const asDumped = parse(session, dumped);
  check(textOfDump(asDumped) === dumped, 'offline', 'a dump is read as something else');
  const dump = how === 'restoreEdited' ? parse(session, editDump(machine, dumped)) : asDumped;
  const text = textOfDump(dump);
  if (how === 'restoreEdited') ledger.excuseRetired();
  const isWiped = how !== 'restore' && how !== 'restoreEdited';
  if (isWiped) {
    wipeMetadata(machine, how);
    // Nothing can tell a page from before, if no trace of it was left when the numbers began again.
    old.forget();
  }
  const isAnew = !canRestoreInPlace(session.survey(), dump.superblock);
  if (isAnew) {
    growing.forget();
    settings.mayBeForgotten();
  }
  const first = restoreOnce(session, dump);
  if (first === undefined) checkCutOff(session, [dumped, text], isAnew);
  const errno = isAnew && first !== 0 ? restoreOnce(session, dump) : first;
  const isExcused = first === undefined || session.isDisturbed;
  check(errno === 0 || (isExcused && !isAnew), 'offline', `a restore fails with ${errno}`);
  session.checkMap(map, 'a restore of what was dumped');
  if (errno !== 0 || (session.isDisturbed && !isAnew)) return;
  const after = session.survey();
  check(after.set !== undefined, 'offline', 'a restore has left no set');
  check(textOf(dumpSourceOf(after.set)) === text, 'offline', 'what was restored is not what the dump says');
  // Blocks that were damaged and are not in use are left to the next start.
  if (isAnew) session.repair(after.set);
  session.checkWhole('a restore');
}

function restoreOnce(session: OfflineSession, dump: SetDump): number | undefined {
  const survey = session.survey();
  if (!canRestoreInPlace(survey, dump.superblock)) {
    const { recoveryOffset: readOffset, commitOffset: writeOffset } = coldMemory;
    return session.write(writeSetAnew({ dump, memory: ioMemory, readOffset, writeOffset }));
  }
  const set = survey.set!;
  return session.write(restoreInPlace(offlineWork(set, ioMemory, coldMemory.commitOffset), set, dump));
}

/** What is there, if anything usable is, is one of these. */
function checkCutOff(session: OfflineSession, texts: readonly string[], mayBeGone: boolean): void {
  const survey: SetSurvey = session.survey();
  if (survey.set === undefined || !survey.found.ok || stateOf(survey) === 'unusable')
    return check(mayBeGone, 'offline', 'a restore that was cut off has left no set');
  if (session.hasForgotten) return;
  const isOne = texts.includes(textOf(dumpSourceOf(survey.set)));
  check(isOne, 'offline', 'a restore that was cut off has left neither what was nor what was to be');
}

/** Whatever is dumped can be read again. */
function parse(session: OfflineSession, text: string): SetDump {
  const dump = readDump(text, session.parts.machine.clock.wallClockSeconds());
  check(dump.ok, 'offline', `a dump is not read again: ${JSON.stringify(dump)}`);
  return dump.value;
}

function textOf(source: Parameters<typeof formatDump>[0]): string {
  return [...formatDump(source)].join('');
}

function textOfDump(dump: SetDump): string {
  return textOf({ ...dump, lostPages: [] });
}
