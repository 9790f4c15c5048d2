import { ERRNO, errnoName } from '../base/errno.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { RemappedDevice } from '../device/remapped-device.js';
import type { DeviceShape } from '../engine/device-shape.js';

/** One unit after the other. What is refused does not end it, but the end of the device does. */
export function inTurn(
  { context }: RemappedDevice,
  mainUnits: readonly number[],
  verb: HandVerb,
  done: (report: HandReport) => void,
  act: (mainUnit: number, answer: (errno: number) => void) => void,
): void {
  let doneCount = 0;
  let alreadyCount = 0;
  const refusals: HandRefusal[] = [];
  let nextIndex = 0;
  let isLooping = false;
  let isReady = true;
  const note = (mainUnit: number, errno: number): void => {
    const mainSector = (mainUnit * context.shape.unitBytes) / SECTOR_BYTES;
    if (errno === 0) doneCount += 1;
    else if (errno === ALREADY[verb]) alreadyCount += 1;
    else refusals.push(refusalOf(mainSector, errno, verb, context.policy.hasRoom));
    if (errno === ERRNO.ECANCELED) nextIndex = mainUnits.length;
    isReady = true;
    goOn();
  };
  // Answers may come at once: a loop, or the stack would grow with every unit.
  const goOn = (): void => {
    if (isLooping) return;
    isLooping = true;
    while (isReady && nextIndex < mainUnits.length) {
      isReady = false;
      const mainUnit = mainUnits[nextIndex++]!;
      act(mainUnit, (errno) => note(mainUnit, errno));
    }
    isLooping = false;
    if (isReady) done({ doneCount, alreadyCount, refusals });
  };
  goOn();
}

/** What came of moving or giving back units by hand. */
export interface HandReport {
  /** Units that have another place now. */
  readonly doneCount: number;
  /** Units that were where they should be. */
  readonly alreadyCount: number;
  readonly refusals: readonly HandRefusal[];
}

/** A unit that stays where it was. */
export interface HandRefusal {
  readonly mainSector: number;
  readonly reason: string;
  /** `io`: a device did not take part; `refused`: nothing failed, but it can't be done as things are. */
  readonly failure: 'refused' | 'io';
}

/** The units that these sectors of the main device are in. */
export function unitsWith(sectors: readonly number[], { unitBytes }: DeviceShape): ReadonlySet<number> {
  return new Set(sectors.map((sector) => Math.floor((sector * SECTOR_BYTES) / unitBytes)));
}

const ALREADY = {
  move: ERRNO.EEXIST,
  giveBack: ERRNO.ENOENT,
  moveAway: ERRNO.ENOENT,
  moveOnSpares: ERRNO.ENOENT,
} as const;
type HandVerb = keyof typeof ALREADY;

function refusalOf(mainSector: number, errno: number, verb: HandVerb, mayMove: boolean): HandRefusal {
  const failure = WITHOUT_FAILURE.has(errno) ? 'refused' : 'io';
  return { mainSector, reason: reasonOf(errno, verb, mayMove), failure };
}

const WITHOUT_FAILURE: ReadonlySet<number> = new Set([
  ERRNO.EBUSY,
  ERRNO.ENODATA,
  ERRNO.ENOSPC,
  ERRNO.ECANCELED,
]);

/** `mayMove`: `max_remaps` lets more units live on spares. */
function reasonOf(errno: number, verb: HandVerb, mayMove: boolean): string {
  switch (errno) {
    case ERRNO.EBUSY:
      return 'the place on the spare holds another unit or metadata, or the spare is being emptied';
    case ERRNO.ENODATA:
      if (verb === 'moveOnSpares') return 'the spare does not give all of its blocks; write them';
      return verb === 'moveAway'
        ? 'the spare does not give all of its blocks; write them, or accept that they are lost'
        : 'blocks of it are lost; write them first';
    case ERRNO.ENOSPC:
      if (verb === 'moveAway') return 'no other spare has room';
      return mayMove ? 'no spare has room' : 'max_remaps allows no more units on spares';
    case ERRNO.EIO:
      if (verb === 'moveAway' || verb === 'moveOnSpares') return 'one of the spares did not take part';
      return verb === 'move'
        ? 'main device or spare did not take part'
        : 'the main device did not take its data, or the spare did not give it';
    case ERRNO.ECANCELED:
      return 'the set is being closed; what comes behind it was not tried';
    default:
      return errnoName(errno);
  }
}
