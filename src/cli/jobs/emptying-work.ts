import { formatCount } from '../../base/format-count.js';
import type { EmptyReport, HandRefusal, ProtectedDevice } from '../../library/device-types.js';
import type { UnitWork, WorkPart } from './unit-work.js';

/** Everything that lives on a spare moves to the others. */
export class EmptyingWork implements UnitWork {
  readonly #device: Pick<ProtectedDevice, 'emptySpare'>;
  readonly #wanted: WantedEmptying;
  #movedUnits = 0;
  /** Units that stayed. Each try may cost a failing spare seconds, so they are tried again only when all others are gone. */
  #refusals: HandRefusal[] = [];
  /** Since they were tried again nothing has moved. */
  #isLastRound = false;

  /** `wanted` may change at any time. */
  constructor(device: Pick<ProtectedDevice, 'emptySpare'>, wanted: WantedEmptying) {
    this.#device = device;
    this.#wanted = wanted;
  }

  async part(limit: number): Promise<WorkPart> {
    const exceptSectors = this.#refusals.map(({ mainSector }) => mainSector);
    const report = await this.#device.emptySpare({ ...this.#wanted, limit, exceptSectors });
    const { movedCount, leftCount } = report;
    this.#movedUnits += movedCount;
    this.#refusals.push(...report.refusals);
    const refusals = [...this.#refusals];
    return {
      movedCount,
      refusals,
      done: this.#movedUnits,
      total: this.#movedUnits + leftCount,
      next: nextOf(leftCount, refusals, limit > 0 && this.#isStuck(report), this.#wanted.spareIndex),
    };
  }

  /** All have been tried, the last of them for the second time. */
  #isStuck({ movedCount, refusals }: EmptyReport): boolean {
    if (movedCount > 0) this.#isLastRound = false;
    if (movedCount > 0 || refusals.length > 0) return false;
    const wasLastRound = this.#isLastRound || this.#refusals.length === 0;
    this.#isLastRound = !wasLastRound;
    this.#refusals = [];
    return wasLastRound;
  }
}

export interface WantedEmptying {
  readonly spareIndex: number;
  acceptsLoss: boolean;
  toSpareIndex: number | undefined;
}

function nextOf(
  leftCount: number,
  refusals: readonly HandRefusal[],
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
