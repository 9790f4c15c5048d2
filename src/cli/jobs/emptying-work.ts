import { formatCount } from '../../base/format-count.js';
import type { EmptyReport, ProtectedDevice } from '../../library/device-types.js';
import type { UnitWork, WorkPart } from './unit-work.js';

/** Everything that lives on a spare moves to the others. */
export class EmptyingWork implements UnitWork {
  readonly #device: Pick<ProtectedDevice, 'emptySpare'>;
  readonly #wanted: WantedEmptying;
  #movedUnits = 0;
  /** The last part moved nothing, but has not tried all: those that stay may come first. */
  #triesAll = false;

  /** `wanted` may change at any time. */
  constructor(device: Pick<ProtectedDevice, 'emptySpare'>, wanted: WantedEmptying) {
    this.#device = device;
    this.#wanted = wanted;
  }

  async part(limit: number): Promise<WorkPart> {
    const isWhole = limit > 0 && this.#triesAll;
    const asked = isWhole ? Number.MAX_SAFE_INTEGER : limit;
    const report = await this.#device.emptySpare({ ...this.#wanted, limit: asked });
    this.#movedUnits += report.movedCount;
    const hasTried = limit > 0;
    const isStuck = hasTried && report.movedCount === 0;
    this.#triesAll = isStuck && report.leftCount > report.refusals.length;
    return {
      movedCount: report.movedCount,
      refusals: report.refusals,
      done: this.#movedUnits,
      total: this.#movedUnits + report.leftCount,
      next: nextOf(report, isStuck && (isWhole || !this.#triesAll), this.#wanted.spareIndex),
    };
  }
}

export interface WantedEmptying {
  readonly spareIndex: number;
  acceptsLoss: boolean;
  toSpareIndex: number | undefined;
}

function nextOf(
  { leftCount, refusals }: EmptyReport,
  isStuck: boolean,
  spareIndex: number,
): WorkPart['next'] {
  if (leftCount === 0) return 'over';
  if (!isStuck) return 'more';
  const [first] = refusals;
  const why = first === undefined ? '' : `; sectors from ${first.mainSector}: ${first.reason}`;
  return {
    stuck: `spare ${spareIndex}: ${formatCount(leftCount, 'unit')} can't be moved to the others${why}`,
  };
}
