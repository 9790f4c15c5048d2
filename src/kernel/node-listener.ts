import { createServer, type Server, Socket } from 'node:net';
import { ERRNO } from '../base/errno.js';
import { failed, ok, type Result } from '../base/result.js';
import type { ByteStream } from '../ports/byte-stream.js';
import type { IoMemory } from '../ports/io-memory.js';
import { type Listener, type ListenerEvents, type ListenFailure, listenFailure } from './listener.js';
import { openListeningSocket } from './listening-socket.js';
import { NodeStream } from './node-stream.js';
import { type SocketAddress, socketAddressText } from './socket-address.js';
import { fileIdentity, removeUnixPath } from './unix-socket-path.js';

/**
 * Listens on Node's event loop; connections become streams over `memory`. Node gets a socket that is there: one that it makes
 * itself removes, when it is closed, whatever is at its path by then.
 */
export async function listenNode(
  memory: IoMemory,
  address: SocketAddress,
  events: ListenerEvents,
): Promise<Result<Listener, ListenFailure>> {
  const opened = openListeningSocket(address);
  if (!opened.ok) return opened;
  const { fd, address: listening } = opened.value;
  const identity = listening.kind === 'unix' ? fileIdentity(listening.path) : '';
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    events.onConnection(new NodeStream(socket, memory)),
  );
  const errno = await startListening(server, fd);
  if (errno !== 0) return failed(listenFailure(address, errno));
  server.on('error', (error) => events.onProblem(`${socketAddressText(listening)}: ${error.message}`));
  return ok({
    address: listening,
    close(whenClosed) {
      if (listening.kind === 'unix') removeUnixPath(listening.path, identity);
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

/** 0, or the positive errno of the failure. The descriptor is the server's from now on. */
function startListening(server: Server, fd: number): Promise<number> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => resolve(-(error.errno ?? -ERRNO.EIO));
    server.once('error', onError);
    server.listen({ fd }, () => {
      server.off('error', onError);
      resolve(0);
    });
  });
}

/** Node waits for connections before it says closed: we don't. */
function stopListening(server: Server, whenClosed: () => void): void {
  server.close();
  setImmediate(whenClosed);
}
