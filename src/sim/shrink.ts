import type { OfflineStep } from './commands/command-step.js';
import type { Step } from './history.js';
import type { Failure, Plan } from './run-seed.js';

/**
 * Makes the history of a failure shorter while it still fails the same check: leaves out stretches of steps, longest
 * first, then makes single steps simpler. `fails` runs a plan. Ends when nothing helps or `runsMax` runs were made.
 */
export function shrink(
  plan: Plan,
  failure: Failure,
  fails: (plan: Plan) => Failure | undefined,
  runsMax: number,
): Shrunk {
  const shrinker = new Shrinker(plan, failure, fails, runsMax);
  shrinker.dropSteps();
  shrinker.simplifySteps();
  shrinker.dropSteps();
  return shrinker.best;
}

export interface Shrunk {
  readonly plan: Plan;
  readonly failure: Failure;
}

class Shrinker {
  best: Shrunk;
  readonly #fails: (plan: Plan) => Failure | undefined;
  #runsLeft: number;

  constructor(plan: Plan, failure: Failure, fails: (plan: Plan) => Failure | undefined, runsMax: number) {
    this.best = { plan, failure };
    this.#fails = fails;
    this.#runsLeft = runsMax;
  }

  dropSteps(): void {
    for (let size = Math.ceil(this.best.plan.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let from = this.best.plan.steps.length - size; from >= 0 && this.#runsLeft > 0; from -= size) {
        const { steps } = this.best.plan;
        this.#try([...steps.slice(0, from), ...steps.slice(from + size)]);
      }
    }
  }

  simplifySteps(): void {
    for (let index = 0; index < this.best.plan.steps.length && this.#runsLeft > 0; index += 1) {
      for (const simpler of simplerThan(this.best.plan.steps[index]!)) {
        this.#try(this.best.plan.steps.with(index, simpler));
      }
    }
  }

  /** Keeps the history if it fails the same check. */
  #try(steps: readonly Step[]): void {
    if (this.#runsLeft === 0) return;
    this.#runsLeft -= 1;
    const plan = { ...this.best.plan, steps };
    const failure = this.#fails(plan);
    if (failure?.check === this.best.failure.check) this.best = { plan, failure };
  }
}

function simplerThan(step: Step): readonly Step[] {
  switch (step.kind) {
    case 'request': {
      const shorter = step.count > 1 ? [{ ...step, count: 1 }] : [];
      const calm = step.events > 0 ? [{ ...step, events: 0 }] : [];
      return [...shorter, ...calm];
    }
    case 'crash':
      return [
        { ...step, interruptions: [], intruder: 'none' },
        { ...step, interruptions: [] },
      ].filter((simpler) => JSON.stringify(simpler) !== JSON.stringify(step)) as Step[];
    case 'handOver': {
      const { interruption, ...whole } = step;
      const fewer = step.requests.map((_, index) => ({
        ...step,
        requests: step.requests.filter((_request, each) => each !== index),
      }));
      return interruption === undefined ? fewer : [whole, ...fewer];
    }
    case 'hand':
      return [
        ...(step.mainFlags === 0 ? [] : [{ ...step, mainFlags: 0 }]),
        ...(step.place === -1 ? [] : [{ ...step, place: -1 }]),
        ...(step.events === 0 ? [] : [{ ...step, events: 0 }]),
      ];
    case 'evacuate':
      return [
        ...(step.isFresh ? [] : [{ ...step, isFresh: true }]),
        ...(step.events === 0 ? [] : [{ ...step, events: 0 }]),
      ];
    case 'cutOver': {
      const { interruption, ...whole } = step;
      const calm =
        step.requests.length + step.starts.length === 0 ? [] : [{ ...step, requests: [], starts: [] }];
      return interruption === undefined ? calm : [whole, ...calm];
    }
    case 'leave':
    case 'cancelEvacuation':
    case 'pauseEvacuation':
    case 'resumeEvacuation':
    case 'acceptLoss':
    case 'shift':
      return step.events === 0 ? [] : [{ ...step, events: 0 }];
    case 'set': {
      const { changes } = step;
      const names = Object.keys(changes);
      if (names.length === 1) return step.events === 0 ? [] : [{ ...step, events: 0 }];
      return names.map((left) => ({
        ...step,
        changes: Object.fromEntries(Object.entries(changes).filter(([name]) => name !== left)),
      }));
    }
    case 'offline':
      return simplerOffline(step);
    case 'spares': {
      const { interruption, ...whole } = step;
      return interruption === undefined ? [] : [whole];
    }
    case 'bad':
      return step.count > 1 ? [{ ...step, count: 1 }] : [];
    default:
      return [];
  }
}

function simplerOffline(step: OfflineStep): readonly Step[] {
  const { faults, commands } = step;
  return [
    ...faults.map((_, index) => ({ ...step, faults: faults.filter((_fault, each) => each !== index) })),
    ...commands.map((_, index) => ({ ...step, commands: commands.filter((_other, each) => each !== index) })),
    ...commands.map(({ command }, index) => ({ ...step, commands: commands.with(index, { command }) })),
  ].filter((simpler) => JSON.stringify(simpler) !== JSON.stringify(step));
}
