import { unreachable } from '../base/assert.js';
import { SECTOR_BYTES } from '../base/units.js';
import type {
  CopyBeginning,
  EvacuationPass,
  EvacuationProgress,
  EvacuationState,
} from '../device/evacuation-progress.js';
import { TICKET_COUNT } from '../device/limits.js';
import type { RemappedDevice } from '../device/remapped-device.js';
import { closeDevice, openDevice } from '../kernel/open-device.js';
import { describeOpenFailure } from '../kernel/open-failure.js';
import type { Geometry } from '../ports/block-store.js';
import { failureText, firstUnreadableSector } from './evacuation-notice.js';
import { type Failure, failure } from './failure.js';
import type { Call } from './messages.js';
import { storeOf } from './open-stores.js';
import { roomOn } from './spare-watch.js';
import type { StartedDevice } from './start-device.js';

/** Copies a set at work to another disk: what the main thread may call for, on the device thread. */
export class EvacuationCalls {
  readonly #started: StartedDevice;
  /** Of the last replacement. */
  #path = '';

  constructor(started: StartedDevice) {
    this.#started = started;
  }

  perform(call: EvacuationCall, done: EvacuationDone): void {
    switch (call.verb) {
      case 'evacuate':
        return this.#begin(call.path, call.copyId, done);
      case 'evacuation':
        return done(undefined, this.#report());
      case 'cancelEvacuation':
        return this.#cancel(done);
      case 'acceptEvacuationLoss':
        return this.#acceptLoss(done);
      case 'pauseEvacuation':
        this.#started.device.replacement.pause();
        return done(undefined, this.#report());
      case 'resumeEvacuation':
        this.#started.device.replacement.resume();
        return done(undefined, this.#report());
      default:
        return unreachable(call);
    }
  }

  /** Opens the disk, exclusively, and begins to fill it. One that is being filled is gone on with, after a halt or a pause too. */
  #begin(path: string, copyId: Uint8Array, done: EvacuationDone): void {
    const { device, backend, memory } = this.#started;
    const { replacement } = device;
    if (replacement.isThere && path !== this.#path)
      return done(failure('refused', `everything is being copied to ${this.#path}; cancel that first`), null);
    if (replacement.isThere) {
      replacement.tryAgain();
      replacement.resume();
      return done(undefined, this.#report());
    }
    const opened = openDevice(path, { readOnly: false, exclusive: true });
    if (!opened.ok) return done(failure('device', describeOpenFailure(opened.error)), null);
    const problem = misfit(path, opened.value.geometry, device);
    if (problem !== undefined) {
      closeDevice(opened.value);
      return done(problem, null);
    }
    this.#path = path;
    replacement.begin(storeOf(opened.value, { backend, memory }, TICKET_COUNT), copyId);
    done(undefined, this.#report());
  }

  #acceptLoss(done: EvacuationDone): void {
    const { replacement, context } = this.#started.device;
    const { progress } = replacement;
    if (progress === undefined || !replacement.isThere) return done(NOTHING_COPIED, null);
    if (!context.breaker.stopsReads) return done(MAIN_IS_THERE, null);
    if (progress.pass === 'comparing') return done(notCompared(this.#path), null);
    const { unitBytes } = context.shape;
    const missingUnits = Math.ceil((progress.totalBytes - progress.everCopiedBytes) / unitBytes);
    const roomUnits = roomOn(this.#started.device, true).freeUnits;
    if (missingUnits > roomUnits) return done(noRoom(missingUnits, roomUnits, unitBytes), null);
    replacement.acceptLoss();
    replacement.resume();
    done(undefined, this.#report());
  }

  /** Null: nothing was copied since the set was opened. */
  #report(): EvacuationReport | null {
    const { device } = this.#started;
    const { progress } = device.replacement;
    if (progress === undefined) return null;
    const { name: _, failure: __, firstUnreadableUnit, ...reported } = progress;
    const firstSector = firstUnreadableSector(progress, device.context.shape);
    return {
      ...reported,
      path: this.#path,
      firstUnreadableSector: firstUnreadableUnit === undefined ? null : firstSector,
      unitsWithLostBlocks: device.context.table.unitsWithLossCount,
      problem: problemOf(progress, firstSector),
    };
  }

  /** Answers when the disk is let go of. */
  #cancel(done: EvacuationDone): void {
    const { suspension, replacement } = this.#started.device;
    if (suspension.isOn) return done(SUSPENDED, null);
    replacement.cancel(() => done(undefined, this.#report()));
  }
}

type EvacuationCall = Extract<Call, { verb: EvacuationVerb }>;
type EvacuationVerb =
  | 'evacuate'
  | 'evacuation'
  | 'pauseEvacuation'
  | 'resumeEvacuation'
  | 'acceptEvacuationLoss'
  | 'cancelEvacuation';

export type EvacuationDone = (problem: Failure | undefined, report: EvacuationReport | null) => void;

/** How far the copying of a set to another disk is. */
export interface EvacuationReport {
  /** Of the disk that is to become the main device. */
  readonly path: string;
  readonly state: EvacuationState;
  readonly pass: EvacuationPass;
  readonly copiedBytes: number;
  /** With what has become stale since, and is to be copied again. */
  readonly everCopiedBytes: number;
  readonly totalBytes: number;
  /** A device of the set does not answer; it goes on when that is back. */
  readonly isWaiting: boolean;
  /** Nothing is copied until somebody resumes it; what is written goes to both. */
  readonly isPaused: boolean;
  readonly beginning: CopyBeginning;
  /** Copied by an earlier process. */
  readonly beginningBytes: number;
  /** That can neither be read nor be remembered as lost. */
  readonly unreadableUnits: number;
  readonly firstUnreadableSector: number | null;
  /** Of the set, whatever lost them: errors on the old disk and on the new one. */
  readonly unitsWithLostBlocks: number;
  /** Why it does not go on, in words; null where nothing is wrong. */
  readonly problem: string | null;
}

/** Everything that is written must fit, in blocks and from memory as the set has them. */
export function misfitOfReplacement(
  path: string,
  found: Geometry,
  wanted: WantedGeometry,
): Failure | undefined {
  if (found.sizeBytes < wanted.sizeBytes) {
    const sizes = `${found.sizeBytes} bytes, the set has ${wanted.sizeBytes}`;
    return failure('usage', `${path}: too small: ${sizes}; the disk has to be as large or larger`);
  }
  if (found.logicalBlockBytes > wanted.logicalBlockBytes) {
    const sizes = `${found.logicalBlockBytes} bytes, that of the set ${wanted.logicalBlockBytes}`;
    return failure('usage', `${path}: its logical block is ${sizes}; it must not be larger`);
  }
  return undefined;
}

export interface WantedGeometry {
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
}

function misfit(path: string, found: Geometry, { geometry }: RemappedDevice): Failure | undefined {
  if (found.memoryAlignmentBytes > geometry.memoryAlignmentBytes)
    return failure(
      'usage',
      `${path}: needs memory aligned to ${found.memoryAlignmentBytes} bytes; use another`,
    );
  return misfitOfReplacement(path, found, geometry);
}

function problemOf(progress: EvacuationProgress, firstSector: number): string | null {
  if (progress.state === 'failed') return failureText(progress);
  if (progress.state !== 'incomplete') return null;
  const units = `${progress.unreadableUnits} unit(s), from sector ${firstSector} (${firstSector * SECTOR_BYTES} bytes) on`;
  return `${units}, can't be read, and no spare took note of that: add a spare, or raise max_remaps if that is reached, then start it anew`;
}

/** What it holds may be anything by now. */
function notCompared(path: string): Failure {
  const message = `${path}: whether it still holds what was copied before can't be told without the main device: attach that again; docs/moving.md says what else there is`;
  return failure('refused', message);
}

/** Each lost unit takes a place on a spare. */
function noRoom(missingUnits: number, roomUnits: number, unitBytes: number): Failure {
  const missing = `${missingUnits} units (${missingUnits * unitBytes} bytes) were not copied`;
  return failure(
    'refused',
    `${missing}, and the spares have room to remember ${roomUnits} as lost: attach the disk again; docs/moving.md says what else there is`,
  );
}

const NOTHING_COPIED = failure('usage', 'nothing is being copied to another disk');
const MAIN_IS_THERE = failure('refused', 'the main device can be read, so nothing of it has to be given up');
const SUSPENDED = failure('refused', 'the device is suspended; resume it first');
