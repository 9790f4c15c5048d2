import { formatCount } from '../../base/format-count.js';
import type { EmptyReport, ProtectedDevice } from '../../library/device-types.js';
import type { UnitWork, WorkPart } from './unit-work.js';

/** Everything that lives on a spare moves to the others. */
export class EmptyingWork implements UnitWork {
  readonly #device: Pick<ProtectedDevice, 'emptySpare'>;
  readonly #wanted: WantedEmptying;
  #movedUnits = 0;
  /** Units that stayed when they were tried last: they come first again. */
  #refusedCount = 0;
  #leftCount = Number.POSITIVE_INFINITY;

  /** `wanted` may change at any time. */
  constructor(device: Pick<ProtectedDevice, 'emptySpare'>, wanted: WantedEmptying) {
    this.#device = device;
    this.#wanted = wanted;
  }

  async part(limit: number): Promise<WorkPart> {
    const asked = limit === 0 ? 0 : limit + this.#refusedCount;
    const report = await this.#device.emptySpare({ ...this.#wanted, limit: asked });
    const { movedCount, refusals, leftCount } = report;
    const isFruitless = movedCount === 0 && refusals.length <= this.#refusedCount;
    const isStuck =
      limit > 0 && movedCount === 0 && (asked >= leftCount || (isFruitless && leftCount >= this.#leftCount));
    this.#movedUnits += movedCount;
    if (limit > 0) {
      this.#refusedCount = refusals.length;
      this.#leftCount = leftCount;
    }
    return {
      movedCount,
      refusals,
      done: this.#movedUnits,
      total: this.#movedUnits + leftCount,
      next: nextOf(report, isStuck, this.#wanted.spareIndex),
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
