import type { ColdContext } from './cold-context.js';
import { type Procedure, perform } from './effect.js';
import { releaseOf } from './relocation.js';

/**
 * A place on a spare that its unit has left serves other units from now on. The new place must be durable (rule W3). Where
 * this fails the old one stays taken, and is outdone by the new one, which has the higher move count.
 */
export function* freeLeftPlace({ table, allocator }: ColdContext, spareUnit: number): Procedure<void> {
  const isFree = (yield* perform({ kind: 'commit', changes: [releaseOf(spareUnit)] })) >= 0;
  if (isFree && table.canReuse(allocator.freeCount)) allocator.release(spareUnit);
}
