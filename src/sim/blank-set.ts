import { planLayout } from '../format/plan-layout.js';
import { SAMPLE_COUNT, type Superblock } from '../format/superblock.js';
import type { DeviceIdentity } from '../ports/block-store.js';
import { NO_IDENTITY } from '../ports/block-store.js';
import { withKeptSettings } from '../settings/kept-settings.js';
import type { Scenario } from './scenario.js';

/** The first superblock of a set for these disks; undefined where they can't make one. */
export function blankSet(scenario: Scenario): Superblock | undefined {
  const { mainBytes, blockBytes, unitBytes, copyCount, spareBytes } = scenario;
  const layout = planLayout({
    mainSizeBytes: mainBytes,
    logicalBlockBytes: blockBytes,
    unitBytes,
    copyCount,
    spareSizesBytes: spareBytes,
  });
  if (!layout.ok) return undefined;
  const identity = identityOf(scenario, 0);
  return {
    ...layout.value,
    features: { compat: 0, roCompat: 0, incompat: 0 },
    cleanShutdown: false,
    pageSequenceSum: 0,
    copyPosition: undefined,
    setId: new Uint8Array(16).fill(7),
    sequence: 1,
    generation: 1,
    logicalBlockBytes: blockBytes,
    openCount: 0,
    mainSizeBytes: mainBytes,
    createdSeconds: 1_700_000_000,
    updatedSeconds: 1_700_000_000,
    name: 'simulated',
    mainModel: identity.model,
    mainSerial: identity.serial,
    mainWwn: identity.wwn,
    mainDeviceBytes: 0,
    mainDeviceBlockBytes: 0,
    contentSample: { validMask: 0, crcs: new Array<number>(SAMPLE_COUNT).fill(0) },
    spares: layout.value.spares.map((spare, index) => ({
      ...spare,
      uuid: new Uint8Array(16).fill(index + 1),
      initialisedPageCount: 0,
    })),
    counters: [],
    ...withKeptSettings({ settings: [], onLost: 0 }, scenario.keptSettings ?? {}),
  };
}

export function identityOf(scenario: Scenario, target: number): DeviceIdentity {
  if (!scenario.hasSerials) return NO_IDENTITY;
  return { model: 'Simulated', serial: `S${target}`, wwn: '' };
}
