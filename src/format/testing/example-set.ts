import { assert } from '../../base/assert.js';
import type { Descriptor } from '../descriptor-page.js';
import { DescriptorReason, DescriptorState } from '../descriptor-page.js';
import { planLayout } from '../plan-layout.js';
import { parseUuid } from '../set-id.js';
import { OnLost, type Superblock } from '../superblock.js';

/** A set with fixed contents: the example of docs/on-disk-format.md and the golden image of format version 1. */
export function exampleSuperblock(options: ExampleOptions = {}): Superblock {
  const { copyCount = 5, spareSizesBytes = [16 << 20, 8 << 20] } = options;
  const sizes = {
    mainSizeBytes: 1 << 30,
    logicalBlockBytes: 512,
    unitBytes: 4096,
    copyCount,
    spareSizesBytes,
  };
  const layout = planLayout(sizes);
  assert(layout.ok, 'the example fits its spares');
  return {
    ...layout.value,
    spares: layout.value.spares.map((spare, index) => ({
      ...spare,
      uuid: spareUuid(index),
      initialisedPageCount: 1,
    })),
    features: { compat: 0, roCompat: 0, incompat: 0 },
    cleanShutdown: true,
    pageSequenceSum: 0,
    copyPosition: undefined,
    setId: uuid('0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0'),
    sequence: 7,
    generation: 3,
    logicalBlockBytes: sizes.logicalBlockBytes,
    openCount: 2,
    mainSizeBytes: sizes.mainSizeBytes,
    createdSeconds: 1_760_000_000,
    updatedSeconds: 1_760_086_400,
    name: 'archive',
    mainModel: 'Example Disk 1G',
    mainSerial: 'EX-0001',
    mainWwn: '0x5000c500a1b2c3d4',
    mainDeviceBytes: 0,
    mainDeviceBlockBytes: 0,
    contentSample: { validMask: 0b11, crcs: [0x11223344, 0x55667788, ...new Array<number>(30).fill(0)] },
    onLost: OnLost.error,
    counters: [1000, 2000],
    settings: [],
  };
}

export interface ExampleOptions {
  readonly copyCount?: number;
  readonly spareSizesBytes?: readonly number[];
}

/** Spare units of the example; the first 104 lie under the first copy. */
export const EXAMPLE_DESCRIPTORS: ReadonlyMap<number, Readonly<Descriptor>> = new Map([
  [110, descriptor({ state: DescriptorState.mapped, mainUnit: 4660, reason: DescriptorReason.writeError })],
  [111, descriptor({ state: DescriptorState.retired, errorCount: 3, reason: DescriptorReason.spareError })],
  [
    125,
    descriptor({
      state: DescriptorState.mapped,
      mainUnit: 200_000,
      lostMask: 0x80,
      errorCount: 1,
      moveCount: 1,
      reason: DescriptorReason.readError,
    }),
  ],
]);

export function uuid(text: string): Uint8Array {
  const parsed = parseUuid(text);
  assert(parsed.ok, `${text} is a UUID`);
  return parsed.value;
}

function spareUuid(index: number): Uint8Array {
  return uuid(`5a5a5a5a-0000-4000-8000-00000000000${index}`);
}

function descriptor(fields: Partial<Descriptor>): Descriptor {
  const empty = { state: 0, mainUnit: 0, lostMask: 0, errorCount: 0, moveCount: 0, reason: 0 };
  return { ...empty, timeSeconds: 1_760_050_000, ...fields };
}
