import { expect, it } from 'vitest';
import { type Procedure, perform, performAll } from '../engine/effect.js';
import { TransferMeter } from './transfer-meter.js';

it('The sums of what is read and written are told, and the procedure is none the wiser', () => {
  const told: [number, number][] = [];
  const meter = new TransferMeter({ onTransfer: (...sums) => told.push(sums) });
  const place = { target: 1, offsetBytes: 0, memoryOffset: 0 };
  function* work(): Procedure<unknown> {
    const one = yield* perform({ kind: 'read', ...place, lengthBytes: 4096 });
    yield* perform({ kind: 'flush', target: 1 });
    const others = yield* performAll([
      { kind: 'write', ...place, lengthBytes: 512 },
      { kind: 'read', ...place, lengthBytes: 1 },
    ]);
    return [one, others];
  }
  const run = meter.watch(work());
  run.next();
  run.next(-5);
  run.next(0);
  expect(run.next([512, 1])).toEqual({ done: true, value: [-5, [512, 1]] });
  expect(told).toEqual([
    [4096, 0],
    [4097, 512],
  ]);
});
