import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** Resolves when the one who asked has the answer, or is gone. */
export async function answered(response: ServerResponse): Promise<void> {
  await once(response, 'close');
}
