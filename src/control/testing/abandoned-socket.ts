import { rename } from 'node:fs/promises';
import { createServer } from 'node:net';

/** Leaves a socket as a killed process does: nobody listens. Under another name Node does not find it to remove it. */
export async function leaveSocket(path: string): Promise<void> {
  const server = createServer();
  const ownPath = `${path}-own`;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(ownPath, resolve));
  await rename(ownPath, path);
  await new Promise((resolve) => server.close(resolve));
}
