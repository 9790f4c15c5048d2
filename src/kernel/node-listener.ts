import { createServer, type Server, Socket } from 'node:net';
import { ERRNO } from '../base/errno.js';
import { failed, ok, type Result } from '../base/result.js';
import type { ByteStream } from '../ports/byte-stream.js';
import type { IoMemory } from '../ports/io-memory.js';
import { type Listener, type ListenerEvents, type ListenFailure, listenFailure } from './listener.js';
import { NodeStream } from './node-stream.js';
import { type SocketAddress, socketAddressText } from './socket-address.js';
import { clearUnixPath } from './unix-socket-path.js';

/** Listens on Node's event loop; connections become streams over `memory`. Host names are resolved by node. */
export async function listenNode(
  memory: IoMemory,
  address: SocketAddress,
  events: ListenerEvents,
): Promise<Result<Listener, ListenFailure>> {
  const failure = address.kind === 'unix' ? clearUnixPath(address) : undefined;
  if (failure !== undefined) return failed(failure);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    events.onConnection(new NodeStream(socket, memory)),
  );
  const errno = await startListening(server, address);
  if (isResolverError(errno)) return failed({ kind: 'notAnAddress', address, errno: 0 });
  if (errno !== 0) return failed(listenFailure(address, errno));
  const listening = realAddress(server, address);
  server.on('error', (error) => events.onProblem(`${socketAddressText(listening)}: ${error.message}`));
  return ok({
    address: listening,
    close(whenClosed) {
      stopListening(server, whenClosed);
    },
  });
}

/** Makes a stream of a connected socket (TCP or unix) and owns it from then on. */
export function adoptNode(fd: number, memory: IoMemory): ByteStream {
  const socket = new Socket({ fd, allowHalfOpen: true });
  socket.setNoDelay(true);
  return new NodeStream(socket, memory);
}

/** 0, or the positive errno of the failure. */
function startListening(server: Server, address: SocketAddress): Promise<number> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => resolve(-(error.errno ?? -ERRNO.EIO));
    server.once('error', onError);
    const where =
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
    server.listen(where, () => {
      server.off('error', onError);
      resolve(0);
    });
  });
}

/** UV_EAI_* of libuv: the host name means nothing. */
function isResolverError(errno: number): boolean {
  return errno >= 3000 && errno < 3100;
}

/** Node removes the socket file itself, and waits for connections before it says closed: we don't. */
function stopListening(server: Server, whenClosed: () => void): void {
  server.close();
  setImmediate(whenClosed);
}

function realAddress(server: Server, asked: SocketAddress): SocketAddress {
  const bound = server.address();
  if (asked.kind === 'unix' || bound === null || typeof bound === 'string') return asked;
  return { kind: 'tcp', host: bound.address, port: bound.port };
}
