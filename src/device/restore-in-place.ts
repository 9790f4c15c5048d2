import type { Procedure } from '../engine/effect.js';
import { sameUuid } from '../format/set-id.js';
import { featuresForMain, type Superblock } from '../format/superblock.js';
import { differingLines } from './layout-difference.js';
import type { MetadataWork } from './metadata-writer.js';
import type { SetDump } from './read-dump.js';
import { planRepair, repairSet } from './repair-set.js';
import { replaceMap } from './replace-map.js';
import { type SetSurvey, type SurveyedSet, stateOf } from './survey-set.js';
import { withoutCleanMark } from './without-clean-mark.js';

/**
 * Makes the metadata of a set what a dump says, where `canRestoreInPlace`: repairs it, then goes from one map to the other
 * in one step. Answers 0 or EIO.
 */
export function* restoreInPlace(work: MetadataWork, set: SurveyedSet, dump: SetDump): Procedure<number> {
  const repaired = yield* repairSet(work, planRepair(set));
  if (repaired !== 0) return repaired;
  const { name, createdSeconds, mainModel, mainSerial, mainWwn, onLost } = dump.superblock;
  const { mainDeviceBytes, mainDeviceBlockBytes } = dump.superblock;
  const features = featuresForMain(set.choice.superblock.features, dump.superblock);
  const main = { mainModel, mainSerial, mainWwn, mainDeviceBytes, mainDeviceBlockBytes, features };
  const fields = { name, createdSeconds, ...main, onLost };
  return yield* withoutCleanMark(work, replaceMap(work, dump.entries, fields));
}

/** It is the same set, all of it can be read, and everything lies where the dump wants it. Else it is written anew. */
export function canRestoreInPlace(survey: SetSurvey, wanted: Superblock): boolean {
  const state = stateOf(survey);
  if (state !== 'clean' && state !== 'damaged') return false;
  const { superblock, readOnly } = survey.set!.choice;
  const isSameSet = sameUuid(superblock.setId, wanted.setId);
  return !readOnly && isSameSet && differingLines(superblock, wanted).length === 0;
}
