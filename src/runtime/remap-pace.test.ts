import { describe, expect, it } from 'vitest';
import { RemapPace } from './remap-pace.js';

const NOW = 1_763_000_000;
const HOUR = 3600;

function paceOf(moves: readonly { readonly count: number; readonly hoursAgo: number }[]): RemapPace {
  const pace = new RemapPace();
  for (const { count, hoursAgo } of moves)
    for (let nth = 0; nth < count; nth += 1) pace.note(NOW - hoursAgo * HOUR);
  return pace;
}

describe('when the spares are full', () => {
  it('is told by the pace at which they are full first', () => {
    const slow = paceOf([{ count: 168, hoursAgo: 100 }]);
    expect(slow.forecast(1000, NOW)).toEqual({ pace: 'week', fullInSeconds: 1000 * HOUR });
    const fast = paceOf([
      { count: 168, hoursAgo: 100 },
      { count: 200, hoursAgo: 0 },
    ]);
    expect(fast.forecast(1000, NOW)).toEqual({ pace: 'hours', fullInSeconds: 10 * HOUR });
    expect(fast.forecast(1000, NOW + 12 * HOUR)).toMatchObject({ pace: 'day' });
  });

  it('is not told where hardly anything moved, where that is long ago, or where they are full', () => {
    expect(paceOf([{ count: 15, hoursAgo: 0 }]).forecast(10, NOW)).toBeUndefined();
    expect(paceOf([{ count: 500, hoursAgo: 170 }]).forecast(10, NOW)).toBeUndefined();
    expect(paceOf([{ count: 500, hoursAgo: 0 }]).forecast(0, NOW)).toBeUndefined();
    expect(new RemapPace().forecast(10, NOW)).toBeUndefined();
  });

  it('counts each hour of its own week, in whatever order the times come', () => {
    const oldLast = paceOf([
      { count: 20, hoursAgo: 1 },
      { count: 500, hoursAgo: 169 },
    ]);
    expect(oldLast.forecast(20, NOW)).toEqual({ pace: 'hours', fullInSeconds: 2 * HOUR });
  });
});
