import { ERRNO, errnoName } from '../base/errno.js';
import { ok, type Result } from '../base/result.js';
import { close } from './ffi.js';
import type { CompletionHandler } from './io-uring.js';
import type { Listener, ListenerEvents, ListenFailure } from './listener.js';
import { type ListeningSocket, openListeningSocket } from './listening-socket.js';
import type { UringReactor } from './reactor.js';
import { type SocketAddress, socketAddressText } from './socket-address.js';
import { fileIdentity, removeUnixPath } from './unix-socket-path.js';
import { ACCEPT_MULTISHOT, CQE_FLAG, OP } from './uring-abi.js';
import type { UringStreams } from './uring-streams.js';

/** Listens on the reactor's ring; connections become streams of `streams`. */
export function listenUring(
  reactor: UringReactor,
  streams: UringStreams,
  address: SocketAddress,
  events: ListenerEvents,
): Result<Listener, ListenFailure> {
  const opened = openListeningSocket(address);
  return opened.ok ? ok(new UringListener(reactor, streams, opened.value, events)) : opened;
}

class UringListener implements Listener, CompletionHandler {
  readonly address: SocketAddress;
  private readonly reactor: UringReactor;
  private readonly streams: UringStreams;
  private readonly events: ListenerEvents;
  private readonly fd: number;
  private readonly kind: number;
  private readonly fileIdentity: string;
  private acceptFlags = ACCEPT_MULTISHOT;
  /** Operations in the ring: the accept, its cancellation. */
  private pendingCount = 0;
  private whenClosed: (() => void) | undefined;

  constructor(reactor: UringReactor, streams: UringStreams, socket: ListeningSocket, events: ListenerEvents) {
    this.reactor = reactor;
    this.streams = streams;
    this.events = events;
    this.fd = socket.fd;
    this.address = socket.address;
    this.fileIdentity = socket.address.kind === 'unix' ? fileIdentity(socket.address.path) : '';
    this.kind = reactor.ring.registerHandler(this);
    this.arm();
  }

  close(whenClosed: () => void): void {
    if (this.whenClosed !== undefined) return;
    this.whenClosed = whenClosed;
    if (this.address.kind === 'unix') removeUnixPath(this.address.path, this.fileIdentity);
    if (this.pendingCount > 0) this.cancel();
    else this.reactor.after(0, () => this.finish());
  }

  /** For the ring. */
  ringCompletion(ticket: number, result: number, flags: number): void {
    const goesOn = (flags & CQE_FLAG.MORE) !== 0;
    if (!goesOn) this.pendingCount -= 1;
    if (ticket === ACCEPT_TICKET && result >= 0) this.connected(result);
    if (this.whenClosed !== undefined) {
      if (this.pendingCount === 0) this.finish();
    } else if (!goesOn) {
      if (result >= 0) this.arm();
      else this.acceptFailed(result);
    }
  }

  private arm(): void {
    const { ring } = this.reactor;
    ring.submit(this.kind, ACCEPT_TICKET, OP.ACCEPT, this.fd, 0, 0, 0, SOCK_CLOEXEC, 0, this.acceptFlags);
    this.pendingCount += 1;
  }

  private cancel(): void {
    const { ring } = this.reactor;
    const target = ring.userData(this.kind, ACCEPT_TICKET);
    ring.submit(this.kind, CANCEL_TICKET, OP.ASYNC_CANCEL, -1, target, 0, 0, 0, 0, 0);
    this.pendingCount += 1;
  }

  private connected(fd: number): void {
    if (this.whenClosed !== undefined) {
      close(fd);
      return;
    }
    const adopted = this.streams.adopt(fd);
    if (adopted.ok) this.events.onConnection(adopted.value);
    else this.problem(`refused a connection (${errnoName(adopted.error)})`);
  }

  private acceptFailed(result: number): void {
    if (COMES_AGAIN.includes(-result)) {
      this.arm();
    } else if (result === -ERRNO.EINVAL && this.acceptFlags === ACCEPT_MULTISHOT) {
      // Linux before 5.19: one connection per operation.
      this.acceptFlags = 0;
      this.arm();
    } else {
      this.problem(`cannot accept connections (${errnoName(-result)}), trying again in ${RETRY_MS} ms`);
      this.reactor.after(RETRY_MS, () => {
        if (this.whenClosed === undefined) this.arm();
      });
    }
  }

  private problem(what: string): void {
    this.events.onProblem(`${socketAddressText(this.address)}: ${what}`);
  }

  private finish(): void {
    close(this.fd);
    this.reactor.ring.releaseHandler(this.kind);
    this.whenClosed?.();
  }
}

const ACCEPT_TICKET = 0;
const CANCEL_TICKET = 1;
const SOCK_CLOEXEC = 0x80000;
/** Out of descriptors or memory passes by itself; a busy loop would not help it. */
const RETRY_MS = 100;
/** The peer gave up while it waited, or a signal came. */
const COMES_AGAIN: readonly number[] = [ERRNO.ECONNABORTED, ERRNO.EINTR, ERRNO.EAGAIN];
