import { resolve } from 'node:path';
import type { NbdAddress } from './uri.js';

/**
 * One text for all ways to write an address that only one server can listen at, for comparing and for messages. Undefined
 * where the kernel chooses the port: such a one is never the same twice. Names of hosts are not looked up.
 */
export function listeningPlace(address: NbdAddress): string | undefined {
  if (address.kind === 'unix') return resolve(address.path);
  const { host, port } = address;
  return port === 0 ? undefined : `${host === '' ? '127.0.0.1' : host.toLowerCase()} port ${port}`;
}
