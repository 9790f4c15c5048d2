import type { AssemblyFailure } from '../device/assemble-set.js';
import type { BlockFinding } from '../device/block-findings.js';
import { type SetSurvey, type SurveyedSet, stateOf } from '../device/survey-set.js';
import { noteOffsetBytes, pageOffsetBytes, regionBytes, superblockOffsetBytes } from '../format/layout.js';
import { formatUuid } from '../format/set-id.js';
import { describeAssemblyFailure } from '../runtime/assembly-message.js';
import { MetadataSession } from './metadata-session.js';
import type {
  AnchorReport,
  CheckReport,
  CopyReport,
  FindingReport,
  MetadataProblem,
  SetReport,
  TransferWatch,
} from './metadata-types.js';

/** Looks at every copy, superblock and page of a set's metadata. Writes nothing, takes no lock. */
export function checkMetadata(paths: readonly string[], watch: TransferWatch = {}): Promise<CheckReport> {
  return MetadataSession.use(paths, 'look', watch, async (session) =>
    reportOf(await session.survey(), paths),
  );
}

/** A survey in the words of the library. */
export function reportOf(survey: SetSurvey, paths: readonly string[]): CheckReport {
  const { set } = survey;
  return {
    state: stateOf(survey),
    problem: problemOf(survey, paths),
    set: set === undefined ? null : setReport(set, paths),
    copies: set === undefined ? [] : copyReports(set, paths),
    findings: set === undefined ? [] : findingReports(set),
    lostPages: set?.load.lostPages ?? [],
    maybeOutdatedPages: set?.load.maybeOutdatedPages ?? [],
    impossibleUnits: set?.intake.impossible ?? [],
    supersededPages: [...new Set(set?.intake.supersededPages ?? [])],
    anchors: anchorReports(survey, paths),
  };
}

/** What a start would say, without `--force`. */
export function problemOf({ found, set }: SetSurvey, paths: readonly string[]): MetadataProblem | null {
  const failure = found.ok && set !== undefined ? failureOf(set) : found.ok ? undefined : found.error;
  return failure === undefined ? null : describeAssemblyFailure(failure, 'main device', paths);
}

function failureOf({ load, intake, choice }: SurveyedSet): AssemblyFailure | undefined {
  if (choice.readOnly) return { kind: 'readOnlyFeature' };
  if (load.lostPages.length > 0) return { kind: 'pagesLost', pages: load.lostPages };
  if (intake.impossible.length > 0) return { kind: 'badDescriptors', spareUnits: intake.impossible };
  if (choice.superblock.cleanShutdown && load.maybeOutdatedPages.length > 0)
    return { kind: 'maybeOutdated', pages: load.maybeOutdatedPages };
  return undefined;
}

function setReport({ choice, table }: SurveyedSet, paths: readonly string[]): SetReport {
  const { superblock, deviceOfSpare } = choice;
  const { setId, name, sequence, generation, cleanShutdown, unitBytes, logicalBlockBytes } = superblock;
  const { mainSizeBytes, mainModel, mainSerial } = superblock;
  return {
    setId: formatUuid(setId),
    name,
    sequence,
    generation,
    cleanShutdown,
    unitBytes,
    logicalBlockBytes,
    mainSizeBytes,
    mainModel,
    mainSerial,
    remappedUnits: table.mappedCount,
    unitsWithLostBlocks: table.unitsWithLossCount,
    retiredSpareUnits: table.retiredCount,
    sparePaths: deviceOfSpare.map((index) => paths[index] ?? null),
  };
}

function copyReports(set: SurveyedSet, paths: readonly string[]): CopyReport[] {
  const { choice, load, notes, findings } = set;
  return choice.superblock.copies.map((copy, index) => {
    const path = paths[choice.deviceOfSpare[copy.spareIndex]!] ?? null;
    const wrong = findings.find(
      (each) => each.copyIndex === index && each.block === 'superblock' && each.isCurrentSlot,
    );
    const isWhole = notes[index] === 'current' && !findings.some((each) => each.copyIndex === index);
    return {
      index,
      spareIndex: copy.spareIndex,
      path,
      offsetBytes: copy.offsetBytes,
      lengthBytes: regionBytes(copy.pageCapacity),
      state: path === null ? 'missing' : isWhole ? 'good' : 'damaged',
      superblock: path === null ? 'missing' : (wrong?.state ?? 'good'),
      goodPages: load.goodPages[index]!,
      badPages: load.badPages[index]!,
      note: notes[index] ?? 'missing',
    };
  });
}

function findingReports(set: SurveyedSet): FindingReport[] {
  const { copies } = set.choice.superblock;
  const blocks = set.findings.map((finding) => blockReport(set, finding));
  const notes = set.notes.flatMap((state, copyIndex): FindingReport[] => {
    if (state === undefined || state === 'current') return [];
    const offsetBytes = noteOffsetBytes(copies[copyIndex]!);
    const place = { copyIndex, slot: 0, firstPage: 0, pageCount: 1, offsetBytes };
    return [{ what: 'note', ...place, state, action: 'rewritten' }];
  });
  return [...blocks, ...notes];
}

function blockReport(set: SurveyedSet, finding: BlockFinding): FindingReport {
  const { block: what, copyIndex, slot, firstPage, pageCount, state, isCurrentSlot } = finding;
  const copy = set.choice.superblock.copies[copyIndex]!;
  const isPage = what === 'page';
  const offsetBytes = isPage ? pageOffsetBytes(copy, firstPage, slot) : superblockOffsetBytes(copy, slot);
  const isLost =
    isPage && set.load.lostPages.some((page) => page >= firstPage && page < firstPage + pageCount);
  const action = isLost ? 'none' : isCurrentSlot ? 'rewritten' : 'updatedTwice';
  return { what, copyIndex, slot, firstPage, pageCount, offsetBytes, state, action };
}

function anchorReports({ scanned }: SetSurvey, paths: readonly string[]): AnchorReport[] {
  return scanned.flatMap(({ candidates }, deviceIndex) =>
    candidates.map(({ offsetBytes, found }) => ({
      path: paths[deviceIndex]!,
      offsetBytes,
      state: found.ok ? 'superblock' : found.error,
      setId: found.ok ? formatUuid(found.value.superblock.setId) : null,
      sequence: found.ok ? found.value.superblock.sequence : null,
    })),
  );
}
