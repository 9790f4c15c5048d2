import type { ConsolidationReport, HandRefusal, ProtectedDevice } from '../../library/device-types.js';
import type { UnitWork, WorkPart } from './unit-work.js';

/** Neighbours on the main device become neighbours on the spares. */
export class ConsolidationWork implements UnitWork {
  readonly #device: Pick<ProtectedDevice, 'consolidate'>;
  #totalRuns = 0;
  #scatteredBefore = Number.POSITIVE_INFINITY;
  /** Units that did not move; what the rest of their runs was moved for will not come about. */
  #refusals: HandRefusal[] = [];

  constructor(device: Pick<ProtectedDevice, 'consolidate'>) {
    this.#device = device;
  }

  async part(limit: number): Promise<WorkPart> {
    const exceptSectors = this.#refusals.map(({ mainSector }) => mainSector);
    const report = await this.#device.consolidate({ limit, exceptSectors });
    const { movedCount, scatteredRunCount } = report;
    this.#refusals.push(...report.refusals);
    this.#totalRuns = Math.max(this.#totalRuns, scatteredRunCount);
    const next = this.#nextOf(report, limit > 0);
    if (limit > 0) this.#scatteredBefore = scatteredRunCount;
    const done = this.#totalRuns - scatteredRunCount;
    const part = { movedCount, refusals: [...this.#refusals], done, total: this.#totalRuns, next };
    // If it was for a device that is away, all are tried again when it is back.
    if (typeof next === 'object') this.#refusals = [];
    return part;
  }

  /** Until a part leaves as much scattered as there was before: the same units would be moved about for ever. */
  #nextOf(
    { movedCount, refusals, scatteredRunCount }: ConsolidationReport,
    hasTried: boolean,
  ): WorkPart['next'] {
    if (scatteredRunCount === 0) return 'over';
    // Others may come behind those that did not move.
    const isFruitless =
      refusals.length === 0 && (movedCount === 0 || scatteredRunCount >= this.#scatteredBefore);
    if (!hasTried || !isFruitless) return 'more';
    const [first] = this.#refusals;
    if (first === undefined) return 'over';
    const others = this.#refusals.length === 1 ? '' : ` (and ${this.#refusals.length - 1} more)`;
    return { stuck: `sectors from ${first.mainSector}${others} stay where they are: ${first.reason}` };
  }
}
