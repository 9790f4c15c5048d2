import type { ColdContext, Scratch } from './cold-context.js';
import type { Procedure, Target } from './effect.js';
import { MAIN, spareTarget } from './effect.js';
import { checkMain } from './probe.js';
import { spareAnswers } from './spare-probe.js';

/** A request failed for a reason that could be a device that is gone: looks at all that are not known to be. */
export function* findGoneDevices(context: ColdContext, scratch: Scratch): Procedure<void> {
  yield* checkDevice(context, scratch, MAIN);
  for (const spareIndex of context.shape.spares.keys())
    yield* checkDevice(context, scratch, spareTarget(spareIndex));
}

/** Reports (`breakerOpened`, `spareGone`) if this device answers nowhere and that is news. */
export function* checkDevice(context: ColdContext, scratch: Scratch, target: Target): Procedure<void> {
  if (context.isGone(target)) return;
  if (target === MAIN) return yield* checkMain(context, scratch, 'it answers nowhere any more');
  const spareIndex = target - spareTarget(0);
  if (yield* spareAnswers(context, scratch, spareIndex)) return;
  if (!context.isGone(target)) context.report({ kind: 'spareGone', spareIndex });
}
