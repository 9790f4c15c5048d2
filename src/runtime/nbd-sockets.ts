import type { Result } from '../base/result.js';
import type { Listener, ListenerEvents, ListenFailure } from '../kernel/listener.js';
import { adoptNode, listenNode } from '../kernel/node-listener.js';
import type { SocketAddress } from '../kernel/socket-address.js';
import { listenUring } from '../kernel/uring-listener.js';
import { UringStreams } from '../kernel/uring-streams.js';
import type { ByteStream } from '../ports/byte-stream.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { Backend } from './backend.js';

/** Sockets on the ring that does the disk I/O, or on Node's event loop: the same calls for both. */
export interface NbdSockets {
  listen(
    address: SocketAddress,
    events: ListenerEvents,
    done: (listening: Result<Listener, ListenFailure>) => void,
  ): void;
  /** A connected socket becomes a stream; undefined if that fails (the descriptor is closed then). */
  adopt(fd: number): ByteStream | undefined;
  /** Every stream is closed. */
  close(): void;
}

export function nbdSocketsFor(backend: Backend, memory: IoMemory): NbdSockets {
  return backend.kind === 'uring' ? uringSockets(backend, memory) : nodeSockets(memory);
}

function uringSockets(backend: Extract<Backend, { kind: 'uring' }>, memory: IoMemory): NbdSockets {
  const streams = new UringStreams(backend.reactor, memory);
  return {
    listen: (address, events, done) => done(listenUring(backend.reactor, streams, address, events)),
    adopt: (fd) => {
      const adopted = streams.adopt(fd);
      return adopted.ok ? adopted.value : undefined;
    },
    close: () => streams.close(),
  };
}

function nodeSockets(memory: IoMemory): NbdSockets {
  return {
    listen: (address, events, done) => void listenNode(memory, address, events).then(done),
    adopt: (fd) => adoptNode(fd, memory),
    close: () => {},
  };
}
