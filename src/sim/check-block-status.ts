import { check } from './check-failure.js';
import type { Machine } from './machine.js';
import type { MappingOnDisk, SetOnDisk } from './metadata-reader.js';

/**
 * What clients are told of blocks without reading them, by every thread: which have moved, and which are lost, is what the
 * disks say. `places`: by unit.
 */
export function checkBlockStatus(
  machine: Machine,
  { superblock }: SetOnDisk,
  places: ReadonlyMap<number, MappingOnDisk>,
): void {
  const { mainSizeBytes, blockBytes, unitBytes } = superblock;
  const stateOf = (atBytes: number): number => {
    const mapping = places.get(Math.floor(atBytes / unitBytes));
    if (mapping === undefined) return 0;
    const isLost = ((mapping.lostMask >>> ((atBytes % unitBytes) / blockBytes)) & 1) === 1;
    return isLost ? REMAPPED | LOST : REMAPPED;
  };
  for (const device of machine.life!.devices) {
    for (let at = 0; at < mainSizeBytes; ) {
      const run = { state: 0, lengthBytes: 0 };
      const askedBytes = Math.min(ASKED_BYTES, mainSizeBytes - at);
      device.describeRun(at, askedBytes, run);
      const isRun =
        run.lengthBytes > 0 && run.lengthBytes <= askedBytes && run.lengthBytes % blockBytes === 0;
      check(isRun, 'blockStatus', `at ${at} ${run.lengthBytes} bytes of ${askedBytes} are said to be alike`);
      for (const end = at + run.lengthBytes; at < end; at += blockBytes) {
        const state = stateOf(at);
        check(
          run.state === state,
          'blockStatus',
          `block at ${at} is said to be ${run.state}, and is ${state}`,
        );
      }
    }
  }
}

/** Bits of a state (`ServedDevice.describeRun`). */
const REMAPPED = 1;
const LOST = 2;
/** Less than the main device has, so that runs end within units as well. */
const ASKED_BYTES = 100 << 10;
