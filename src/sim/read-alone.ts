import type { ReadResult } from './client.js';
import type { RunParts } from './run-parts.js';

/** With nothing else under way. */
export function readAlone({ machine, client, events }: RunParts, first: number, count: number): ReadResult {
  const { device, actor } = machine.served()[0]!;
  return client.readAlone(first, count, device, actor, () =>
    events.until(() => client.pendingCount === 0, 'a read'),
  );
}
