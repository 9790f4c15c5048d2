import type { Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { HANDSHAKE_MS, MAX_CONNECTIONS, STALL_MS, STOP_GRACE_MS } from './limits.js';
import { greeting } from './option-replies.js';
import { GREETING_BYTES, HandshakeFlag } from './protocol.js';
import type { TlsCredentials } from './tls-credentials.js';
import { TlsHandshake } from './tls-handshake.js';

export interface TlsFrontOptions {
  readonly credentials: TlsCredentials;
  /** Ask clients for a certificate signed by `credentials.authority`, and refuse those without. */
  readonly verifyPeer: boolean;
  /** A fresh connection to the real server. */
  readonly connectInner: () => Socket;
  readonly onEvent?: (event: TlsFrontEvent) => void;
}

export type TlsFrontEvent =
  | { readonly kind: 'secured'; readonly protocol: string }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Speaks TLS in front of an NBD server that does not: does the plain-text start of the handshake up to STARTTLS, then
 * deciphers for a fresh connection to the server, which never learns of it. Runs on Node's event loop. TLS is forced:
 * a client without it gets nothing. Who listens hands it the connections.
 */
export class TlsFront {
  private readonly options: TlsFrontOptions;
  /** Plain sockets, with whether TLS is up. */
  private readonly sockets = new Map<Socket, boolean>();

  constructor(options: TlsFrontOptions) {
    this.options = options;
  }

  accept(socket: Socket): void {
    socket.on('error', (error) => this.refuse(socket, error.message));
    if (this.sockets.size >= MAX_CONNECTIONS) {
      this.refuse(socket, 'too many connections');
      return;
    }
    this.sockets.set(socket, false);
    const timer = setTimeout(() => {
      if (this.sockets.get(socket) === false) this.refuse(socket, 'the handshake took too long');
    }, HANDSHAKE_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      this.sockets.delete(socket);
    });
    socket.setNoDelay(true);
    socket.write(greeting());
    this.haggle(socket);
  }

  /** No more clients come: drops those not secured yet, and gives the others a few seconds until all have ended. */
  async end(allEnded: Promise<void>): Promise<void> {
    for (const [socket, secured] of this.sockets) if (!secured) socket.destroy();
    const grace = setTimeout(() => {
      for (const socket of this.sockets.keys()) socket.destroy();
    }, STOP_GRACE_MS);
    await allEnded;
    clearTimeout(grace);
  }

  private haggle(socket: Socket): void {
    const handshake = new TlsHandshake();
    let input = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      input = Buffer.concat([input, chunk]);
      for (;;) {
        const step = handshake.step(input);
        if (step.kind === 'needMore') return;
        if (step.kind === 'reply') {
          input = input.subarray(step.consumedBytes);
          if (step.reply.length > 0) socket.write(step.reply);
          continue;
        }
        socket.off('data', onData);
        socket.pause();
        if (step.kind === 'startTls') this.secure(socket, step.reply, step.noZeroes);
        else this.endWith(socket, step.reply, step.reason);
        return;
      }
    };
    socket.on('data', onData);
  }

  /**
   * Hands the socket to a TLS server of its own that never listens: unlike a bare TLSSocket it checks client
   * certificates, and being alone it leaves no doubt which client was secured.
   */
  private secure(socket: Socket, reply: Uint8Array, noZeroes: boolean): void {
    const { credentials, verifyPeer } = this.options;
    const securer = createTlsServer({
      cert: credentials.certificate,
      key: credentials.key,
      ...(credentials.authority === null ? {} : { ca: credentials.authority }),
      requestCert: verifyPeer,
      rejectUnauthorized: verifyPeer,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_MS,
    });
    const innerFlags = HandshakeFlag.fixedNewstyle | (noZeroes ? HandshakeFlag.noZeroes : 0);
    securer.on('tlsClientError', (error) => this.refuse(socket, error.message));
    securer.on('secureConnection', (secured) => {
      this.sockets.set(socket, true);
      this.join(secured, innerFlags);
    });
    socket.write(reply);
    securer.emit('connection', socket);
  }

  /** Null, and this one client is dropped, when no descriptors are left. */
  private connectInner(secured: TLSSocket): Socket | null {
    try {
      return this.options.connectInner();
    } catch (error) {
      this.options.onEvent?.({
        kind: 'refused',
        reason: error instanceof Error ? error.message : String(error),
      });
      secured.destroy();
      return null;
    }
  }

  /** Connects a secured client with the real server: its greeting is dropped, the client's flags are repeated. */
  private join(secured: TLSSocket, clientFlags: number): void {
    this.options.onEvent?.({ kind: 'secured', protocol: secured.getProtocol() ?? '' });
    const inner = this.connectInner(secured);
    if (inner === null) return;
    inner.once('error', () => secured.destroy());
    inner.once('close', () => endSoon(secured));
    secured.once('error', () => inner.destroy());
    secured.once('close', () => inner.destroy());
    // The real server drops such a client too, which is not seen here as long as nothing more is taken from that server.
    secured.setTimeout(STALL_MS, () => {
      if (secured.writableLength > 0) secured.destroy();
    });
    const flags = Buffer.alloc(4);
    flags.writeUInt32BE(clientFlags);
    inner.write(flags);
    secured.pipe(inner);
    pipeBehindGreeting(inner, secured);
  }

  private endWith(socket: Socket, reply: Uint8Array, reason: string): void {
    this.options.onEvent?.({ kind: 'refused', reason });
    // Reads on, so that unread bytes do not turn the end into a reset that swallows the reply.
    socket.resume();
    socket.end(reply);
    socket.setTimeout(HANDSHAKE_MS, () => socket.destroy());
  }

  private refuse(socket: Socket, reason: string): void {
    this.options.onEvent?.({ kind: 'refused', reason });
    socket.destroy();
  }
}

/** A client that takes no more, or does not hang up, would keep its place from others for ever. */
function endSoon(secured: TLSSocket): void {
  const grace = setTimeout(() => secured.destroy(), STOP_GRACE_MS);
  secured.once('close', () => clearTimeout(grace));
  secured.end();
}

function pipeBehindGreeting(inner: Socket, secured: TLSSocket): void {
  let skipBytes = GREETING_BYTES;
  const onData = (chunk: Buffer): void => {
    const rest = chunk.subarray(Math.min(skipBytes, chunk.length));
    skipBytes -= chunk.length - rest.length;
    if (skipBytes > 0) return;
    inner.off('data', onData);
    if (rest.length > 0) secured.write(rest);
    inner.pipe(secured);
  };
  inner.on('data', onData);
}
