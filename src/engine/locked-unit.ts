import { type Procedure, perform } from './effect.js';

/** Runs what nobody else may have this unit in flight for; `body` begins when it is locked. */
export function* withUnitLocked<Value>(mainUnit: number, body: Procedure<Value>): Procedure<Value> {
  const lockId = yield* perform({ kind: 'lock', firstUnit: mainUnit, lastUnit: mainUnit });
  const value = yield* body;
  yield* perform({ kind: 'unlock', lockId });
  return value;
}
