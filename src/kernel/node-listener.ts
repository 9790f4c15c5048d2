import { Socket } from 'node:net';
import { ok, type Result } from '../base/result.js';
import type { ByteStream } from '../ports/byte-stream.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { Listener, ListenerEvents, ListenFailure } from './listener.js';
import { NodeStream } from './node-stream.js';
import type { SocketAddress } from './socket-address.js';
import { serveSockets } from './socket-server.js';

/** Listens on Node's event loop; connections become streams over `memory`. */
export async function listenNode(
  memory: IoMemory,
  address: SocketAddress,
  events: ListenerEvents,
): Promise<Result<Listener, ListenFailure>> {
  const listening = await serveSockets(
    address,
    { allowHalfOpen: true, noDelay: true },
    (socket) => events.onConnection(new NodeStream(socket, memory)),
    (message) => events.onProblem(message),
  );
  if (!listening.ok) return listening;
  const server = listening.value;
  return ok({
    address: server.address,
    close(whenClosed) {
      // Node waits for connections before it says closed: we don't.
      server.close(() => {});
      setImmediate(whenClosed);
    },
  });
}

/** Makes a stream of a connected socket (TCP or unix) and owns it from then on. */
export function adoptNode(fd: number, memory: IoMemory): ByteStream {
  const socket = new Socket({ fd, allowHalfOpen: true });
  socket.setNoDelay(true);
  return new NodeStream(socket, memory);
}
