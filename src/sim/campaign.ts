import { describeStep } from './describe-step.js';
import { type Failure, type Plan, planOf, runPlan } from './run-seed.js';
import { shrink } from './shrink.js';
import { addStatistics, newStatistics, type Statistics } from './statistics.js';

/** Runs seed after seed until one fails or there were enough. */
export function runCampaign(options: CampaignOptions): CampaignResult {
  const total = newStatistics();
  const startedMs = Date.now();
  const cpuBefore = process.cpuUsage();
  let failed: CampaignResult['failed'];
  let seed = options.firstSeed;
  for (; seed < options.firstSeed + options.seedCount && failed === undefined; seed += 1) {
    if (Date.now() - startedMs >= options.durationMs) break;
    const plan = planOf(seed);
    const statistics = newStatistics();
    const failure = runPlan(plan, statistics);
    addStatistics(total, statistics);
    if (failure !== undefined) failed = { plan, failure };
    options.progress(total, Date.now() - startedMs);
  }
  const cpu = process.cpuUsage(cpuBefore);
  return {
    statistics: total,
    failed,
    seedCount: seed - options.firstSeed,
    wallSeconds: (Date.now() - startedMs) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  };
}

export interface CampaignOptions {
  readonly firstSeed: number;
  readonly seedCount: number;
  readonly durationMs: number;
  readonly progress: (total: Statistics, elapsedMs: number) => void;
}

export interface CampaignResult {
  readonly statistics: Statistics;
  readonly failed: { readonly plan: Plan; readonly failure: Failure } | undefined;
  readonly seedCount: number;
  readonly wallSeconds: number;
  /** Of this process: what a core can do does not depend on who else uses the machine. */
  readonly cpuSeconds: number;
}

/** The failure, with a history as short as it gets if `shrinks`, and the last things that happened in it. */
export function explain(failed: NonNullable<CampaignResult['failed']>, shrinks: boolean): Explanation {
  const { plan, failure } = failed;
  const again = (shorter: Plan): Failure | undefined => runPlan(shorter, newStatistics());
  const shrunk = shrinks ? shrink(plan, failure, again, SHRINK_RUNS) : failed;
  const lines: string[] = [];
  runPlan(shrunk.plan, newStatistics(), (line) => {
    lines.push(line);
    if (lines.length > 2 * LAST_EVENTS) lines.splice(0, LAST_EVENTS);
  });
  return {
    check: shrunk.failure.check,
    message: shrunk.failure.message,
    scenario: shrunk.plan.scenario,
    history: shrunk.plan.steps.map(describeStep),
    lastEvents: lines.slice(-LAST_EVENTS),
    stack: shrunk.failure.check === 'invariant' ? shrunk.failure.stack : undefined,
  };
}

export interface Explanation {
  readonly check: string;
  readonly message: string;
  readonly scenario: Plan['scenario'];
  readonly history: readonly string[];
  readonly lastEvents: readonly string[];
  /** Where the product itself gave up. */
  readonly stack: string | undefined;
}

const SHRINK_RUNS = 400;
const LAST_EVENTS = 40;
