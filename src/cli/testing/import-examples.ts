import type { ImportPlan, ImportResult, ModuleRemapReport } from '../../library/import-types.js';
import { formatPlan } from './fake-context.js';

/** A record of version 4.2 with one remap to import and one that is left out. */
export function importPlan(changes: Partial<ImportPlan> = {}): ImportPlan {
  const trusted = moduleRemap();
  const left = moduleRemap({ mainSector: 300, spareSector: 12, doubts: ['spareInMetadata'] });
  return {
    spare: { path: '/dev/old', sizeBytes: 4 << 20 },
    main: { path: '/dev/sda', sizeBytes: 64 << 20 },
    layout: 'v4.2',
    otherUse: null,
    isUsable: true,
    explanation: 'the record of version 4.2 of the kernel module',
    notes: ['1 of 5 copies of the record are not used; see their states'],
    recorded: { mainSectors: 131072, spareSectors: 8192, timeSeconds: 1_761_609_600, sequence: 4 },
    copies: [
      {
        sector: 0,
        state: 'good',
        isChosen: true,
        sequence: 4,
        timeSeconds: 1_761_609_600,
        remapCount: 2,
        mainSectors: 131072,
      },
      {
        sector: 256,
        state: 'badChecksum',
        isChosen: false,
        sequence: null,
        timeSeconds: null,
        remapCount: null,
        mainSectors: null,
      },
    ],
    remaps: [trusted, left],
    target: formatPlan(),
    imported: [trusted],
    leftOut: [left],
    unitCount: 1,
    ...changes,
  };
}

export function importResult(changes: Partial<ImportResult> = {}): ImportResult {
  return { ...importPlan(), lostOnSpare: [], lostOnMain: [], ...changes };
}

export function moduleRemap(changes: Partial<ModuleRemapReport> = {}): ModuleRemapReport {
  return {
    mainSector: 1000,
    spareSector: 5000,
    state: 'active',
    timeSeconds: 1_761_609_600,
    copies: [0],
    doubts: [],
    ...changes,
  };
}
