import { SECTOR_BYTES } from '../base/units.js';
import { readModuleSpare } from '../device/read-module-spare.js';
import { findModuleRecord, type ModuleFinding } from '../format/import/find-module-record.js';
import { judgeRemaps } from '../format/import/judge-remaps.js';
import type { ModuleRemap } from '../format/import/module-remap.js';
import type { Geometry } from '../ports/block-store.js';
import { OfflineSession } from '../runtime/offline-session.js';
import { DmRemapError } from './errors.js';
import { refuseRepeatedPaths } from './examine-spares.js';
import type {
  ModuleCopyReport,
  ModuleRemapReport,
  ModuleSpareOptions,
  ModuleSpareReport,
} from './import-types.js';
import { describeModuleLayout } from './module-layout-message.js';
import { notesOf } from './module-spare-notes.js';
import { findOtherUse } from './other-use.js';

/** Reads what the kernel module has left on a spare, and judges each of its remaps. Writes nothing, takes no lock. */
export async function inspectModuleSpare(options: ModuleSpareOptions): Promise<ModuleSpareReport> {
  return (await readRecord(options)).report;
}

/** The same with the remaps as they were decoded, those of the report at the same index. */
export async function readRecord({ spare, main }: ModuleSpareOptions): Promise<ReadRecord> {
  const paths = main === undefined ? [spare] : [spare, main];
  refuseRepeatedPaths(paths);
  const opened = OfflineSession.open(paths.map((path) => ({ path, readOnly: true })));
  if (!opened.ok) throw DmRemapError.of(opened.error);
  const session = opened.value;
  try {
    const { memory, bufferOffset } = session;
    const [spareGeometry, mainGeometry] = session.geometries;
    const { sizeBytes } = spareGeometry!;
    const read = await session.run(readModuleSpare({ target: 0, sizeBytes, memory, bufferOffset }));
    const finding = findModuleRecord(read, Math.floor(Date.now() / 1000));
    const remaps = judged(finding, spareGeometry!, mainGeometry);
    const otherUse = await findOtherUse(session, { target: 0, sizeBytes }, finding, read);
    const about = {
      spare: { path: spare, sizeBytes },
      main: main === undefined ? null : { path: main, sizeBytes: mainGeometry!.sizeBytes },
      otherUse,
    };
    return { report: reportOf(finding, about, remaps), remaps };
  } finally {
    session.close();
  }
}

export interface ReadRecord {
  readonly report: ModuleSpareReport;
  readonly remaps: readonly ModuleRemap[];
}

function judged(finding: ModuleFinding, spare: Geometry, main: Geometry | undefined): ModuleRemap[] {
  if (finding.kind !== 'v4' && finding.kind !== 'v3') return [];
  const { remaps, metadata, mainSectors, spareSectors } = finding;
  const recordBytes = finding.kind === 'v4' ? finding.sectorBytes : SECTOR_BYTES;
  const blocks = [recordBytes, spare.logicalBlockBytes, main?.logicalBlockBytes ?? SECTOR_BYTES];
  return judgeRemaps(remaps, {
    mainSectors: Math.min(mainSectors, main === undefined ? mainSectors : sectorsOf(main)),
    spareSectors: Math.min(spareSectors, sectorsOf(spare)),
    metadata,
    hasSmallSectors: blocks.every((blockBytes) => blockBytes === SECTOR_BYTES),
  });
}

function sectorsOf({ sizeBytes }: { readonly sizeBytes: number }): number {
  return Math.floor(sizeBytes / SECTOR_BYTES);
}

function reportOf(
  finding: ModuleFinding,
  about: Pick<ModuleSpareReport, 'spare' | 'main' | 'otherUse'>,
  remaps: readonly ModuleRemap[],
): ModuleSpareReport {
  const isUsable = finding.kind === 'v4' || finding.kind === 'v3';
  return {
    ...about,
    ...describeModuleLayout(finding),
    isUsable,
    notes: isUsable ? notesOf(finding, about, remaps) : [],
    recorded: isUsable ? recordedOf(finding) : null,
    copies: copiesOf(finding),
    remaps: remaps.map(remapReportOf),
  };
}

function recordedOf(finding: Extract<ModuleFinding, { kind: 'v3' | 'v4' }>): ModuleSpareReport['recorded'] {
  const isV4 = finding.kind === 'v4';
  return {
    mainSectors: exactOrNull(finding.mainSectors),
    spareSectors: exactOrNull(finding.spareSectors),
    timeSeconds: exactOrNull(isV4 ? finding.timeSeconds : finding.updatedSeconds),
    sequence: isV4 ? exactOrNull(finding.sequence) : null,
  };
}

function copiesOf(finding: ModuleFinding): ModuleCopyReport[] {
  if (finding.kind !== 'v4' && finding.kind !== 'damagedV4') return [];
  const chosen = finding.kind === 'v4' ? finding.copyIndex : -1;
  return finding.copies.map(({ sector, state, sequence, timeSeconds, remapCount, mainSectors }, index) => ({
    sector,
    state,
    isChosen: index === chosen,
    sequence: exactOrNull(sequence),
    timeSeconds: exactOrNull(timeSeconds),
    remapCount: remapCount ?? null,
    mainSectors: exactOrNull(mainSectors),
  }));
}

function remapReportOf(remap: ModuleRemap): ModuleRemapReport {
  const { mainSector, spareSector, state, timeSeconds, copies, doubts } = remap;
  return {
    mainSector: exactOrNull(mainSector),
    spareSector: exactOrNull(spareSector),
    state,
    timeSeconds,
    copies,
    doubts,
  };
}

function exactOrNull(value: number | undefined): number | null {
  return value !== undefined && Number.isSafeInteger(value) ? value : null;
}
