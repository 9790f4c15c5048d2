import type { NbdEvent } from '../frontends/nbd/server.js';
import { NbdServer } from '../frontends/nbd/server.js';
import { close as closeFd } from '../kernel/ffi.js';
import type { Listener } from '../kernel/listener.js';
import { listenFailureText } from '../kernel/listener.js';
import type { SocketAddress } from '../kernel/socket-address.js';
import type { ByteStream } from '../ports/byte-stream.js';
import type { CallDone } from './call-server.js';
import type { DeviceNotice } from './device-report.js';
import type { Failure } from './failure.js';
import { failure } from './failure.js';
import type { NbdSockets } from './nbd-sockets.js';
import { nbdSocketsFor } from './nbd-sockets.js';
import { notice } from './notice.js';
import type { StartedDevice } from './start-device.js';

/**
 * The NBD side of a device thread: one server, any number of listeners. One server for all of them, because clients
 * that connect in different ways share one device and must hear of its failed flushes.
 */
export class NbdEndpoints {
  readonly #started: StartedDevice;
  readonly #tell: (notice: DeviceNotice) => void;
  readonly #sockets: NbdSockets;
  readonly #listeners = new Map<number, Listener>();
  #nextListenerId = 1;
  #served: { readonly server: NbdServer; readonly exportName: string } | undefined;

  constructor(started: StartedDevice, tell: (notice: DeviceNotice) => void) {
    this.#started = started;
    this.#tell = tell;
    this.#sockets = nbdSocketsFor(started.backend, started.memory);
  }

  get connectionCount(): number {
    return this.#served?.server.usage.connections ?? 0;
  }

  listen(address: SocketAddress, exportName: string, done: CallDone): void {
    const server = this.#serverFor(exportName);
    if (!(server instanceof NbdServer)) return done(server, undefined);
    const events = {
      onConnection: (stream: ByteStream) => server.accept(stream),
      onProblem: (message: string) => this.#tell(notice('warn', 'listenerProblem', message, {})),
    };
    this.#sockets.listen(address, events, (listening) => {
      if (!listening.ok) return done(failure('system', listenFailureText(listening.error)), undefined);
      const listenerId = this.#nextListenerId++;
      this.#listeners.set(listenerId, listening.value);
      done(undefined, { listenerId, address: listening.value.address });
    });
  }

  unlisten(listenerId: number, done: () => void): void {
    const listener = this.#listeners.get(listenerId);
    if (listener === undefined) return done();
    this.#listeners.delete(listenerId);
    listener.close(done);
  }

  /** Serves a socket that is connected already; the descriptor is closed in any case. */
  adopt(fd: number, exportName: string): Failure | undefined {
    const server = this.#serverFor(exportName);
    if (!(server instanceof NbdServer)) {
      closeFd(fd);
      return server;
    }
    const stream = this.#sockets.adopt(fd);
    if (stream === undefined) return failure('system', 'too many connections');
    server.accept(stream);
    return undefined;
  }

  /** No new clients; those that are there get their replies, then everything is closed. */
  stop(done: () => void): void {
    for (const [listenerId, listener] of this.#listeners) {
      this.#listeners.delete(listenerId);
      return listener.close(() => this.stop(done));
    }
    const stopped = (): void => {
      this.#sockets.close();
      done();
    };
    if (this.#served === undefined) stopped();
    else this.#served.server.stop(stopped);
  }

  #serverFor(exportName: string): NbdServer | Failure {
    if (this.#served === undefined) this.#served = { server: this.#makeServer(exportName), exportName };
    const { server, exportName: known } = this.#served;
    if (known === exportName) return server;
    return failure(
      'usage',
      `export "${exportName}": all endpoints of a device use one export name, here "${known}"`,
    );
  }

  #makeServer(exportName: string): NbdServer {
    const { device, memory, buffers, backend, info } = this.#started;
    const server = new NbdServer({
      device,
      memory,
      buffers,
      scheduler: backend.reactor,
      exportName,
      description: `dm-remap ${info.name === '' ? info.setId : info.name}`,
      onEvent: (event) => this.#tell(noticeOfNbd(event)),
      kick: () => backend.reactor.kick(),
    });
    backend.reactor.addPoller(server);
    return server;
  }
}

function noticeOfNbd(event: NbdEvent): DeviceNotice {
  switch (event.kind) {
    case 'connected':
    case 'ready':
      return notice('info', `client.${event.kind}`, `NBD client ${event.connection}: ${event.kind}`, {
        connection: event.connection,
      });
    case 'disconnected':
      return notice('info', 'client.disconnected', `NBD client ${event.connection}: gone (${event.reason})`, {
        connection: event.connection,
        reason: event.reason,
      });
    case 'refused':
      return notice('warn', 'client.refused', `NBD client refused: ${event.reason}`, {
        reason: event.reason,
      });
    default:
      return event;
  }
}
