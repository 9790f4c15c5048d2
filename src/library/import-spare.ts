import { assert, unreachable } from '../base/assert.js';
import { commandLine } from '../base/shell-words.js';
import { SECTOR_BYTES } from '../base/units.js';
import { type ImportedUnit, type ImportSetFailure, importSet } from '../device/import-set.js';
import type { ModuleRemap } from '../format/import/module-remap.js';
import { type ImportUnit, planImportUnits } from '../format/import/plan-import-units.js';
import { OfflineSession } from '../runtime/offline-session.js';
import { DmRemapError } from './errors.js';
import { findChanged, refuseRepeatedPaths } from './examine-spares.js';
import { type PreparedFormat, prepareFormat } from './format-spares.js';
import type {
  ImportOptions,
  ImportPlan,
  ImportResult,
  ImportWatch,
  ModuleSpareReport,
} from './import-types.js';
import { readRecord } from './inspect-module-spare.js';
import { otherUseNote } from './module-spare-notes.js';
import { hasChanged } from './repair-metadata.js';

/** What `importSpare` would do, without writing; rejects with `DmRemapError` where it would refuse. */
export async function planImport(options: ImportOptions): Promise<ImportPlan> {
  return (await prepare(options)).plan;
}

/**
 * Makes `to` the spare of a new set with the remaps of a spare of the kernel module, and their data. The main device
 * and the module's spare are only read, and nobody else may hold them meanwhile. If it is cut off, `to` holds either
 * no set or all of it.
 */
export async function importSpare(options: ImportOptions, watch: ImportWatch = {}): Promise<ImportResult> {
  const { plan, superblock, units, spares } = await prepare(options);
  if (watch.agreed !== undefined) refuseOtherRemaps(plan, watch.agreed);
  const opened = OfflineSession.open([
    { path: options.main, readOnly: true, exclusive: true },
    { path: options.to, readOnly: false },
    { path: options.spare, readOnly: true, exclusive: true },
  ]);
  if (!opened.ok) throw DmRemapError.of(opened.error);
  const session = opened.value;
  try {
    const changed = await findChanged(session, 1, spares);
    if (changed !== undefined) throw hasChanged([changed]);
    const { memory, bufferOffset } = session;
    const oldSpare = { target: 2, sizeBytes: session.geometries[2]!.sizeBytes };
    const noteRead = (doneCount: number): void => watch.onRead?.(doneCount, units.length);
    const imported = await session.run(
      importSet({ superblock, units, oldSpare, noteRead, memory, bufferOffset }),
    );
    if (!imported.ok) throw describeFailure(imported.error, options);
    return { ...plan, ...lostSectors(imported.value, superblock.unitBytes) };
  } finally {
    session.close();
  }
}

interface PreparedImport extends Pick<PreparedFormat, 'superblock' | 'spares'> {
  readonly plan: ImportPlan;
  readonly units: readonly ImportUnit[];
}

async function prepare(options: ImportOptions): Promise<PreparedImport> {
  const { spare, main, to, force } = options;
  refuseRepeatedPaths([main, to, spare]);
  const { report, remaps } = await readRecord({ spare, main });
  if (!report.isUsable) throw new DmRemapError('metadata', `${spare}: holds ${report.explanation}`);
  assert(report.main !== null, 'the main device was looked at');
  if (force !== true) {
    refuseOtherUse(report);
    refuseOtherMain(report, main, report.main.sizeBytes);
  }
  const wanted = remaps.map((remap) => isWanted(remap, options));
  const units = planImportUnits(
    remaps.filter((_, index) => wanted[index]),
    UNIT_BYTES,
  );
  if (units.length === 0) throw nothingToImport(report);
  const {
    plan: target,
    superblock,
    spares,
  } = await prepareFormat({
    main,
    spares: [to],
    unitBytes: UNIT_BYTES,
    force,
  });
  if (units.length > target.usableSpareUnits) {
    const sizes = `${units.length} units are needed, it has room for ${target.usableSpareUnits}`;
    throw new DmRemapError('usage', `${to}: too small: ${sizes}; use a larger one`);
  }
  const plan: ImportPlan = {
    ...report,
    main: report.main,
    target,
    imported: report.remaps
      .filter((_, index) => wanted[index])
      .sort((one, other) => one.mainSector! - other.mainSector!),
    leftOut: report.remaps.filter((_, index) => !wanted[index]),
    unitCount: units.length,
  };
  return { plan, superblock, spares, units };
}

/** As `format` has it by itself; the module knows nothing of units. */
const UNIT_BYTES = 4096;

function isWanted({ doubts }: ModuleRemap, { includeDisputed }: ImportOptions): boolean {
  if (includeDisputed !== true) return doubts.length === 0;
  return doubts.every((doubt) => doubt === 'copiesDisagree');
}

/** It may lie over the data of the module, and nothing in the record would show that. */
function refuseOtherUse({ spare, otherUse }: ModuleSpareReport): void {
  if (otherUse === null) return;
  throw new DmRemapError(
    'refused',
    `${spare.path}: ${otherUseNote(otherUse)}; if the module has used it last, use --force`,
  );
}

function refuseOtherMain({ recorded, copies }: ModuleSpareReport, main: string, mainSizeBytes: number): void {
  const recordedSectors = recorded?.mainSectors ?? null;
  const other = copies.find(({ mainSectors }) => mainSectors !== null && mainSectors !== recordedSectors);
  if (other !== undefined) {
    const sizes = `${recordedSectors} sectors, another of ${other.mainSectors}`;
    throw new DmRemapError(
      'refused',
      `${main}: may be the wrong one, as one copy of the record is of a main device of ${sizes}; --force takes it`,
    );
  }
  if (recordedSectors !== null && recordedSectors * SECTOR_BYTES === mainSizeBytes) return;
  const said = recordedSectors ?? 'a number that no disk has';
  const sizes = `${mainSizeBytes / SECTOR_BYTES} sectors, the recorded main device ${said}`;
  throw new DmRemapError(
    'refused',
    `${main}: has ${sizes}; if it is the right one all the same (the module recorded the whole disk's size for a ` +
      'partition), use --force',
  );
}

function refuseOtherRemaps(plan: ImportPlan, agreed: ImportPlan): void {
  if (JSON.stringify(plan.imported) === JSON.stringify(agreed.imported)) return;
  const message = `${plan.spare.path}: reads differently than a moment ago, so nothing was written; look at it again`;
  throw new DmRemapError('refused', message);
}

function nothingToImport({ spare, main, remaps }: ModuleSpareReport): DmRemapError {
  if (remaps.length === 0) {
    const message = `${spare.path}: its record has no remaps, so there is nothing to import; use "dmremap format"`;
    return new DmRemapError('metadata', message);
  }
  const list = commandLine(['dmremap', 'import', spare.path, '--main', main?.path ?? 'MAIN', '--list']);
  return new DmRemapError(
    'refused',
    `${spare.path}: none of its ${remaps.length} remaps can be trusted; "${list}" says why`,
  );
}

function lostSectors(
  units: readonly ImportedUnit[],
  unitBytes: number,
): Pick<ImportResult, 'lostOnSpare' | 'lostOnMain'> {
  const sectorsOf = (maskOf: (unit: ImportedUnit) => number): number[] =>
    units.flatMap((unit) => {
      const first = (unit.mainUnit * unitBytes) / SECTOR_BYTES;
      const blocks = Array.from({ length: unitBytes / SECTOR_BYTES }, (_, block) => block);
      return blocks.filter((block) => ((maskOf(unit) >>> block) & 1) === 1).map((block) => first + block);
    });
  return {
    lostOnSpare: sectorsOf((unit) => unit.lostOnSpareMask),
    lostOnMain: sectorsOf((unit) => unit.lostOnMainMask),
  };
}

function describeFailure(failure: ImportSetFailure, { main, spare, to }: ImportOptions): DmRemapError {
  switch (failure.kind) {
    case 'deviceFails': {
      const path = failure.device === 'main' ? main : spare;
      const message = `${path}: fails as a whole (errno ${failure.errno}), so nothing was written; is it connected?`;
      return new DmRemapError('io', message);
    }
    case 'noRoom':
      return new DmRemapError('usage', `${to}: too small; use a larger one`);
    case 'newSpareFails':
      return new DmRemapError(
        'io',
        `${to}: its ${failure.what} can't be written and read back, so it must not be used; use another one`,
      );
    default:
      return unreachable(failure);
  }
}
