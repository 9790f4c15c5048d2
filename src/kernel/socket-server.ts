import { createServer, type Server, type ServerOpts, type Socket } from 'node:net';
import { ERRNO } from '../base/errno.js';
import { failed, ok, type Result } from '../base/result.js';
import { type ListenerEvents, type ListenFailure, listenFailure } from './listener.js';
import { openListeningSocket } from './listening-socket.js';
import { type SocketAddress, socketAddressText } from './socket-address.js';
import { fileIdentity, removeUnixPath } from './unix-socket-path.js';

/** A socket on Node's event loop that takes connections. */
export interface SocketServer {
  /** Where it really listens: with the port that the kernel chose. */
  readonly address: SocketAddress;
  /** Takes no more connections and removes the socket file, if that is its own. `whenAllEnded`: those that exist have ended. */
  close(whenAllEnded: () => void): void;
}

/**
 * Listens on Node's event loop. Node gets a socket that is there: one that it makes itself removes, when it is closed,
 * whatever is at its path by then.
 */
export async function serveSockets(
  address: SocketAddress,
  options: ServerOpts,
  onConnection: (socket: Socket) => void,
  onProblem: ListenerEvents['onProblem'],
): Promise<Result<SocketServer, ListenFailure>> {
  const opened = openListeningSocket(address);
  if (!opened.ok) return opened;
  const { fd, address: listening } = opened.value;
  const identity = listening.kind === 'unix' ? fileIdentity(listening.path) : '';
  const server = createServer(options, onConnection);
  const errno = await startListening(server, fd);
  if (errno !== 0) return failed(listenFailure(address, errno));
  server.on('error', (error) => onProblem(`${socketAddressText(listening)}: ${error.message}`));
  return ok({
    address: listening,
    close(whenAllEnded) {
      if (listening.kind === 'unix') removeUnixPath(listening.path, identity);
      server.close(whenAllEnded);
    },
  });
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
