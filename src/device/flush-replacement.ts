import type { ColdContext } from '../engine/cold-context.js';
import type { Procedure } from '../engine/effect.js';
import { perform, REPLACEMENT } from '../engine/effect.js';

/** A failure ends the copying (`Mirror`). */
export function* flushReplacement({ mirror }: ColdContext): Procedure<void> {
  const result = yield* perform({ kind: 'flush', target: REPLACEMENT });
  if (result < 0) mirror.noteFailure({ operation: 'flush', offsetBytes: 0, errno: -result });
}
