import { expect, it } from 'vitest';
import { Holding } from './holding.js';
import type { Life } from './life.js';
import { SimClock } from './sim-clock.js';

it('requests may wait for a device that is gone as long as they were told to', () => {
  const clock = new SimClock();
  const holding = new Holding(clock);
  const gone = { target: 1, heldRequests: 1 };
  const device = { onGone: { holdMs: 5000 }, goneDevices: [gone] };
  const life = { state: { kind: 'open' }, device } as unknown as Life;
  holding.hear({ kind: 'spareGone', spareIndex: 0 });
  clock.advance(6000);
  expect(() => holding.check(life)).not.toThrow();
  clock.advance(6000);
  expect(() => holding.check(life)).not.toThrow();
  clock.advance(2000);
  expect(() => holding.check(life)).toThrow('1 requests wait for device 1');
  holding.hear({ kind: 'breakerOpened', reason: 'worse', readsPass: false });
  expect(() => holding.check(life)).not.toThrow();
});
