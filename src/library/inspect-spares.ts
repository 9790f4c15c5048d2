import { type AssembledSet, assembleSet } from '../device/assemble-set.js';
import { countersByName } from '../engine/counters.js';
import { DescriptorState, emptyDescriptor } from '../format/descriptor-page.js';
import { DESCRIPTORS_PER_PAGE } from '../format/layout.js';
import { usableUnitCount } from '../format/reserved-units.js';
import { formatUuid } from '../format/set-id.js';
import { FORMAT_VERSION } from '../format/superblock.js';
import { describeAssemblyFailure } from '../runtime/assembly-message.js';
import { OfflineSession } from '../runtime/offline-session.js';
import { remapReportOf } from '../runtime/remap-report.js';
import { readKeptSettings } from '../settings/kept-settings.js';
import { reportSettings } from '../settings/settings-in-force.js';
import { DmRemapError } from './errors.js';
import type { InspectReport, RemapReport } from './offline-types.js';

/** Reads everything the spares of a set say, from their images or devices. Writes nothing, takes no lock. */
export async function inspectSpares(paths: readonly string[]): Promise<InspectReport> {
  const opened = OfflineSession.open(paths.map((path) => ({ path, readOnly: true })));
  if (!opened.ok) throw DmRemapError.of(opened.error);
  const session = opened.value;
  try {
    const devices = session.geometries.map((geometry, target) => ({ target, ...geometry }));
    const { memory, bufferOffset } = session;
    const set = await session.run(
      assembleSet({ main: undefined, devices, force: true, memory, bufferOffset }),
    );
    if (!set.ok) throw DmRemapError.of(describeAssemblyFailure(set.error, 'main device', paths));
    return reportOf(set.value, paths);
  } finally {
    session.close();
  }
}

function reportOf(set: AssembledSet, paths: readonly string[]): InspectReport {
  const { superblock, deviceOfSpare } = set.choice;
  return {
    setId: formatUuid(superblock.setId),
    name: superblock.name,
    formatVersion: FORMAT_VERSION,
    sequence: superblock.sequence,
    generation: superblock.generation,
    cleanShutdown: superblock.cleanShutdown,
    openCount: superblock.openCount,
    createdSeconds: superblock.createdSeconds,
    updatedSeconds: superblock.updatedSeconds,
    unitBytes: superblock.unitBytes,
    logicalBlockBytes: superblock.logicalBlockBytes,
    main: {
      sizeBytes: superblock.mainSizeBytes,
      model: superblock.mainModel,
      serial: superblock.mainSerial,
      wwn: superblock.mainWwn,
    },
    spares: superblock.spares.map((spare, index) => ({
      index,
      path: paths[deviceOfSpare[index]!] ?? null,
      uuid: formatUuid(spare.uuid),
      sizeBytes: spare.sizeBytes,
      initialisedPages: spare.initialisedPageCount,
      isStale: set.choice.staleSpares.includes(index),
    })),
    copies: copiesOf(set),
    outOfReachPages: set.load.outOfReachPages.length,
    maybeOutdatedPages: superblock.cleanShutdown ? set.load.maybeOutdatedPages.length : 0,
    usableSpareUnits: usableUnitCount(superblock),
    freeSpareUnits: set.allocator.freeCount,
    retiredSpareUnits: set.table.retiredCount,
    remaps: remapsOf(set),
    counters: countersByName(set.counters),
    settings: reportSettings(readKeptSettings(superblock), {}),
  };
}

function copiesOf({ choice, load }: AssembledSet): InspectReport['copies'] {
  return choice.superblock.copies.map((copy, index) => ({
    index,
    spareIndex: copy.spareIndex,
    offsetBytes: copy.offsetBytes,
    superblock: superblockState(choice, index),
    goodPages: load.goodPages[index]!,
    badPages: load.badPages[index]!,
  }));
}

function superblockState(choice: AssembledSet['choice'], copyIndex: number): string {
  if (choice.deviceOfSpare[choice.superblock.copies[copyIndex]!.spareIndex] === -1) return 'missing';
  return choice.repairs.some((repair) => repair.copyIndex === copyIndex) ? 'damaged or stale' : 'good';
}

function remapsOf(set: AssembledSet): RemapReport[] {
  const descriptor = emptyDescriptor();
  const remaps: RemapReport[] = [];
  for (const { firstUnit, initialisedPageCount } of set.choice.superblock.spares) {
    const end = firstUnit + initialisedPageCount * DESCRIPTORS_PER_PAGE;
    for (let spareUnit = firstUnit; spareUnit < end; spareUnit += 1) {
      if (set.table.state(spareUnit) !== DescriptorState.mapped) continue;
      set.table.get(spareUnit, descriptor);
      remaps.push(remapReportOf(set.shape, spareUnit, descriptor));
    }
  }
  return remaps.sort((one, other) => one.mainUnit - other.mainUnit);
}
