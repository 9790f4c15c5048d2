import type { FaultRule, Operation } from './fault-rule.js';
import { OPERATION_NAMES, OperationBit } from './fault-rule.js';
import { SectorRanges } from './sector-ranges.js';

/** The rules of one device at work: what has healed, what is used up, and what an operation meets. */
export class FaultPlan {
  /** What the last operation that `meets` said true for has met. */
  readonly verdict: FaultVerdict = { errno: 0, firstBadSector: 0, delayMs: 0, heals: false };
  readonly #wholeDevice: readonly RuleState[];
  readonly #bySector: readonly RuleState[];
  /** Operations that some rule without sectors is about. */
  readonly #wholeDeviceOperations: number;
  /** By operation bit: sectors that some rule is about. Healed ones stay in: this only makes the check quick. */
  readonly #concerned: readonly SectorRanges[];
  #operationCount = 0;

  constructor(rules: readonly FaultRule[]) {
    const states = rules.map((rule) => new RuleState(rule));
    this.#wholeDevice = states.filter(({ rule }) => rule.sectors === undefined);
    this.#bySector = states.filter(({ rule }) => rule.sectors !== undefined);
    this.#wholeDeviceOperations = this.#wholeDevice.reduce((bits, { rule }) => bits | rule.operations, 0);
    this.#concerned = concernedSectors(rules);
  }

  /** Counts an operation (of any kind); true when it is hit or heals something, see `verdict`. */
  meets(operation: Operation, startSector: number, endSector: number): boolean {
    this.#operationCount += 1;
    const byDevice = (this.#wholeDeviceOperations & operation) !== 0;
    const bySector = this.#concerned[operation]!.firstWithin(startSector, endSector) !== -1;
    if (!byDevice && !bySector) return false;
    return this.#judge(operation, startSector, endSector, bySector);
  }

  /** A write of these sectors succeeded; true if that ended a fault. */
  heal(startSector: number, endSector: number): boolean {
    let hasHealed = false;
    for (const state of this.#bySector) {
      if (!state.rule.healsOnWrite || state.sectors.firstWithin(startSector, endSector) === -1) continue;
      state.sectors = state.sectors.without(startSector, endSector);
      hasHealed = true;
    }
    return hasHealed;
  }

  /** The error of the first bad sector counts (of the earlier rule, where there are two), and the longest delay. */
  #judge(operation: Operation, startSector: number, endSector: number, bySector: boolean): boolean {
    const verdict = this.verdict;
    verdict.errno = 0;
    verdict.firstBadSector = endSector;
    verdict.delayMs = 0;
    verdict.heals = false;
    let failing: RuleState | undefined;
    for (const state of this.#wholeDevice) {
      if (this.#isHit(state, operation)) failing = this.#apply(state, startSector, failing);
    }
    if (bySector) {
      for (const state of this.#bySector) {
        const sector = state.sectors.firstWithin(startSector, endSector);
        if (sector === -1) continue;
        if (this.#isHit(state, operation)) failing = this.#apply(state, sector, failing);
        else if (state.rule.healsOnWrite && (operation & OVERWRITING) !== 0) verdict.heals = true;
      }
    }
    if (failing !== undefined) failing.hitCount += 1;
    return verdict.errno !== 0 || verdict.delayMs > 0 || verdict.heals;
  }

  #isHit(state: RuleState, operation: Operation): boolean {
    const { operations, afterOperations, times } = state.rule;
    return (operations & operation) !== 0 && this.#operationCount > afterOperations && state.hitCount < times;
  }

  #apply(state: RuleState, sector: number, failing: RuleState | undefined): RuleState | undefined {
    const { errno, delayMs } = state.rule;
    const verdict = this.verdict;
    verdict.delayMs = Math.max(verdict.delayMs, delayMs);
    if (errno === 0) {
      state.hitCount += 1;
      return failing;
    }
    if (failing !== undefined && sector >= verdict.firstBadSector) return failing;
    verdict.errno = errno;
    verdict.firstBadSector = sector;
    return state;
  }
}

/** What an operation meets; one object per plan, overwritten by the next operation. */
export interface FaultVerdict {
  /** Positive errno to fail with, or 0. */
  errno: number;
  /** Where it fails; only with an errno. */
  firstBadSector: number;
  delayMs: number;
  /** Its success ends a fault. */
  heals: boolean;
}

class RuleState {
  readonly rule: FaultRule;
  /** What has not healed yet. */
  sectors: SectorRanges;
  hitCount = 0;

  constructor(rule: FaultRule) {
    this.rule = rule;
    this.sectors = rule.sectors ?? SectorRanges.none;
  }
}

const OVERWRITING = OperationBit.write | OperationBit.writeZeroes;

function concernedSectors(rules: readonly FaultRule[]): SectorRanges[] {
  const byOperation: SectorRanges[] = [];
  for (const name of OPERATION_NAMES) {
    const operation = OperationBit[name];
    const concerned = rules.filter(
      (rule) => (rule.operations & operation) !== 0 || (rule.healsOnWrite && (operation & OVERWRITING) !== 0),
    );
    byOperation[operation] = SectorRanges.of(concerned.flatMap((rule) => rule.sectors?.pairs() ?? []));
  }
  return byOperation;
}
