import type { ConsolidationReport, ProtectedDevice } from '../../library/device-types.js';
import type { UnitWork, WorkPart } from './unit-work.js';

/** Neighbours on the main device become neighbours on the spares. */
export class ConsolidationWork implements UnitWork {
  readonly #device: Pick<ProtectedDevice, 'consolidate'>;
  #totalRuns = 0;
  #scatteredBefore = Number.POSITIVE_INFINITY;

  constructor(device: Pick<ProtectedDevice, 'consolidate'>) {
    this.#device = device;
  }

  async part(limit: number): Promise<WorkPart> {
    const report = await this.#device.consolidate({ limit });
    const { movedCount, refusals, scatteredRunCount } = report;
    this.#totalRuns = Math.max(this.#totalRuns, scatteredRunCount);
    const next = this.#nextOf(report, limit > 0);
    if (limit > 0) this.#scatteredBefore = scatteredRunCount;
    return { movedCount, refusals, done: this.#totalRuns - scatteredRunCount, total: this.#totalRuns, next };
  }

  /** Until a part leaves as much scattered as there was before: the same units would be moved about for ever. */
  #nextOf(
    { movedCount, refusals, scatteredRunCount }: ConsolidationReport,
    hasTried: boolean,
  ): WorkPart['next'] {
    if (scatteredRunCount === 0) return 'over';
    const isFruitless = movedCount === 0 || scatteredRunCount >= this.#scatteredBefore;
    if (!hasTried || !isFruitless) return 'more';
    const [first] = refusals;
    if (first === undefined) return 'over';
    const others = refusals.length === 1 ? '' : ` (and ${refusals.length - 1} more)`;
    return { stuck: `sectors from ${first.mainSector}${others} stay where they are: ${first.reason}` };
  }
}
