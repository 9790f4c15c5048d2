import { rm } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { failed, ok, type Result } from '../../base/result.js';
import type { NbdAddress } from './uri.js';

export interface ListenFailure {
  readonly address: NbdAddress;
  /** Node's error code (`EADDRINUSE`, `EACCES`, ...). */
  readonly code: string;
}

/** Makes the server listen; a unix socket file that nobody listens on any more is replaced. */
export async function listenOn(
  server: Server,
  address: NbdAddress,
): Promise<Result<NbdAddress, ListenFailure>> {
  let code = await tryListen(server, address);
  if (code === 'EADDRINUSE' && address.kind === 'unix' && (await isStale(address.path))) {
    await rm(address.path, { force: true });
    code = await tryListen(server, address);
  }
  return code === null ? ok(listeningAddress(server, address)) : failed({ address, code });
}

function tryListen(server: Server, address: NbdAddress): Promise<string | null> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message);
    server.once('error', onError);
    const where = address.kind === 'unix' ? { path: address.path } : tcpWhere(address.host, address.port);
    server.listen(where, () => {
      server.off('error', onError);
      resolve(null);
    });
  });
}

function tcpWhere(host: string, port: number): { port: number; host?: string } {
  return host === '' ? { port } : { port, host };
}

/** With port 0 the system chose one. */
function listeningAddress(server: Server, asked: NbdAddress): NbdAddress {
  const actual = server.address();
  if (asked.kind === 'unix' || actual === null || typeof actual === 'string') return asked;
  return { ...asked, port: actual.port };
}

function isStale(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
