import { assert } from '../base/assert.js';
import { failed, ok, type Result } from '../base/result.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { Procedure, Target } from '../engine/effect.js';
import { MAIN, perform } from '../engine/effect.js';
import type { ErrorClass } from '../engine/error-policy.js';
import { isMediaClass, transferWithRetries } from '../engine/retry.js';
import { type SalvageContext, salvageBlocks } from '../engine/salvage.js';
import type { ImportUnit } from '../format/import/plan-import-units.js';

/**
 * Puts one unit together in memory: the sectors that the kernel module has moved from its spare, all others from the
 * main device. What can't be read after all retries is zero in the buffer and named as lost. Fails where a device
 * answers nowhere (P7): nothing may be concluded about sectors then.
 */
export function* gatherUnit(
  input: GatherInput,
  unit: ImportUnit,
): Procedure<Result<GatheredUnit, GatherFailure>> {
  const { shape, memory, bufferOffset } = input;
  assert(shape.logicalBlockBytes === SECTOR_BYTES, 'the module counts in sectors of 512 bytes');
  const lengthBytes = shape.unitLengthBytes(unit.mainUnit);
  const movedMask = unit.moved.reduce((mask, { sectorInUnit }) => (mask | (1 << sectorInUnit)) >>> 0, 0);
  const mainMask = (shape.blockMask(0, lengthBytes) & ~movedMask) >>> 0;
  const ofMain = yield* readFromMain(input, unit.mainUnit, mainMask);
  if (!ofMain.ok) return ofMain;
  const ofSpare = yield* readFromSpare(input, unit);
  if (!ofSpare.ok) return ofSpare;
  const lostMask = (ofMain.value | ofSpare.value) >>> 0;
  const bytes = memory.slice(bufferOffset, bufferOffset + lengthBytes);
  for (let block = 0; block * SECTOR_BYTES < lengthBytes; block += 1) {
    if (((lostMask >>> block) & 1) === 1) bytes.fill(0, block * SECTOR_BYTES, (block + 1) * SECTOR_BYTES);
  }
  return ok({
    mainUnit: unit.mainUnit,
    bytes,
    lostOnMainMask: ofMain.value,
    lostOnSpareMask: ofSpare.value,
  });
}

export interface GatherInput extends SalvageContext {
  /** The module's spare. */
  readonly oldSpare: { readonly target: Target; readonly sizeBytes: number };
  readonly memory: Uint8Array;
  /** Room for one unit. */
  readonly bufferOffset: number;
}

export interface GatheredUnit {
  readonly mainUnit: number;
  /** As long as the unit is on the main device. */
  readonly bytes: Uint8Array;
  /** Bit n: logical block n of the unit could not be read from the main device, or from the old spare. */
  readonly lostOnMainMask: number;
  readonly lostOnSpareMask: number;
}

export interface GatherFailure {
  readonly kind: 'deviceFails';
  readonly device: 'main' | 'oldSpare';
  readonly errno: number;
}

function* readFromMain(
  input: GatherInput,
  mainUnit: number,
  mask: number,
): Procedure<Result<number, GatherFailure>> {
  const { shape, bufferOffset } = input;
  const salvage = yield* salvageBlocks(input, MAIN, mainUnit * shape.unitBytes, mask, bufferOffset);
  const { failure } = salvage;
  if (failure === undefined) return ok(salvage.lostMask);
  const blamed = yield* mayBlameSectors(input, MAIN, shape.mainSizeBytes, failure.errorClass);
  return blamed
    ? ok(salvage.lostMask)
    : failed({ kind: 'deviceFails', device: 'main', errno: failure.errno });
}

function* readFromSpare(input: GatherInput, { moved }: ImportUnit): Procedure<Result<number, GatherFailure>> {
  const { target, sizeBytes } = input.oldSpare;
  let lostMask = 0;
  for (const { sectorInUnit, spareSector } of moved) {
    const attempt = yield* transferWithRetries(
      input,
      {
        kind: 'read',
        target,
        offsetBytes: spareSector * SECTOR_BYTES,
        lengthBytes: SECTOR_BYTES,
        memoryOffset: input.bufferOffset + sectorInUnit * SECTOR_BYTES,
      },
      true,
    );
    if (attempt.ok) continue;
    if (!(yield* mayBlameSectors(input, target, sizeBytes, attempt.errorClass))) {
      return failed({ kind: 'deviceFails', device: 'oldSpare', errno: attempt.errno });
    }
    lostMask = (lostMask | (1 << sectorInUnit)) >>> 0;
  }
  return ok(lostMask);
}

/** A medium error names its sector. One that may be the whole device's does so only if the device answers elsewhere. */
function* mayBlameSectors(
  { memory, bufferOffset }: GatherInput,
  target: Target,
  sizeBytes: number,
  errorClass: ErrorClass,
): Procedure<boolean> {
  if (!isMediaClass(errorClass)) return false;
  if (errorClass === 'media') return true;
  const kept = memory.slice(bufferOffset, bufferOffset + SECTOR_BYTES);
  for (let place = 0; place < PROBE_PLACES; place += 1) {
    // Not at equal distances: bad sectors may be, as when one of a drive's surfaces fails.
    const sector =
      Math.floor((place * sizeBytes) / PROBE_PLACES / SECTOR_BYTES) + place * PROBE_SHIFT_SECTORS;
    const lastSector = Math.floor(sizeBytes / SECTOR_BYTES) - 1;
    const result = yield* perform({
      kind: 'read',
      target,
      offsetBytes: Math.min(sector, lastSector) * SECTOR_BYTES,
      lengthBytes: SECTOR_BYTES,
      memoryOffset: bufferOffset,
    });
    memory.set(kept, bufferOffset);
    if (result >= 0) return true;
  }
  return false;
}

const PROBE_PLACES = 8;
const PROBE_SHIFT_SECTORS = 8;
