import { entriesOf } from '../device/replace-map.js';
import type { DumpEntry } from '../device/set-dump.js';
import { emptyDescriptor } from '../format/descriptor-page.js';
import type { Superblock } from '../format/superblock.js';
import type { Mailbox } from './mailbox.js';
import type { StartedDevice } from './start-device.js';

/** The map as it is, for the main thread; what changes later follows as messages `mapChanged`. */
export interface MapSnapshot {
  readonly superblock: Superblock;
  readonly entries: Float64Array;
}

/**
 * Tells the main thread of every change of the map from now on. Costs nothing where nothing changes; a change is a
 * message of some numbers after its commit.
 */
export function watchMap({ device }: StartedDevice, mailbox: Mailbox): MapSnapshot {
  const { metadata, context } = device;
  metadata.onCommitted = (changes) => {
    const entries = changes.map(({ spareUnit }): DumpEntry => {
      const descriptor = emptyDescriptor();
      context.table.get(spareUnit, descriptor);
      return [spareUnit, descriptor];
    });
    mailbox.post({
      kind: 'mapChanged',
      generation: metadata.superblock.generation,
      entries: packEntries(entries),
    });
  };
  const { superblock } = metadata;
  return { superblock, entries: packEntries(entriesOf(context.table, superblock.spares)) };
}

/** Units and what their descriptors say, as numbers in a row. */
export function packEntries(entries: readonly DumpEntry[]): Float64Array {
  const packed = new Float64Array(entries.length * NUMBERS_PER_ENTRY);
  for (const [index, [spareUnit, descriptor]] of entries.entries()) {
    const { state, mainUnit, lostMask, timeSeconds, errorCount, moveCount, reason } = descriptor;
    packed.set(
      [spareUnit, state, mainUnit, lostMask, timeSeconds, errorCount, moveCount, reason],
      index * NUMBERS_PER_ENTRY,
    );
  }
  return packed;
}

export function* unpackEntries(packed: Float64Array): Generator<DumpEntry> {
  for (let at = 0; at < packed.length; at += NUMBERS_PER_ENTRY) {
    const [spareUnit, state, mainUnit, lostMask, timeSeconds, errorCount, moveCount, reason] =
      packed.subarray(at, at + NUMBERS_PER_ENTRY);
    yield [
      spareUnit!,
      {
        state: state!,
        mainUnit: mainUnit!,
        lostMask: lostMask!,
        timeSeconds: timeSeconds!,
        errorCount: errorCount!,
        moveCount: moveCount!,
        reason: reason!,
      },
    ];
  }
}

const NUMBERS_PER_ENTRY = 8;
