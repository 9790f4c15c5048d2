import { assert } from '../../base/assert.js';
import type { ByteStream, ByteStreamSink } from '../../ports/byte-stream.js';
import type { IoMemory } from '../../ports/io-memory.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { RequestSink, ServedDevice } from '../../ports/served-device.js';
import type { BufferPool } from './buffer-pool.js';
import { Connection, type ConnectionHost } from './connection.js';
import { ConnectionRing } from './connection-ring.js';
import { HANDSHAKE_MS, MAX_CONNECTIONS, STOP_GRACE_MS, TICK_MS } from './limits.js';
import { servedExport } from './served-export.js';
import { HEADER_AREA_BYTES, ServerResources } from './server-resources.js';
import type { NbdStatistics } from './statistics.js';

export interface NbdServerOptions {
  readonly device: ServedDevice;
  readonly memory: IoMemory;
  /** Buffers inside `memory`. The class says how much is needed. */
  readonly buffers: BufferPool;
  readonly scheduler: Scheduler;
  readonly exportName: string;
  readonly description: string;
  /** For the log; called on the cold path only. */
  readonly onEvent?: (event: NbdEvent) => void;
  /** Makes the reactor call `poll` soon, for reactors that don't do so every turn. */
  readonly kick?: () => void;
}

export type NbdEvent =
  | { readonly kind: 'connected'; readonly connection: number }
  | { readonly kind: 'ready'; readonly connection: number }
  | { readonly kind: 'disconnected'; readonly connection: number; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: 'too many connections' | 'the server stops' };

/** What the server holds now; all 0 but `buffers` when nobody is connected. */
export interface NbdUsage {
  readonly connections: number;
  readonly requests: number;
  readonly slots: number;
  readonly buffers: number;
}

/**
 * An NBD server for one device: one thread, any number of connections, no allocation per request. It sees streams,
 * not sockets. Whoever made it calls `poll` at the end of every reactor turn (register it as a poller).
 *
 * Memory: 512 KiB for reply headers for its whole life; 128 KiB per connection, taken as 1 MiB for eight; one buffer
 * per request in flight. A 32 MiB read needs 32 buffers of 1 MiB at a time, so the pool must be larger than 32 MiB +
 * 40 MiB (256 connections) to serve everything; 128 MiB is a good size. Short of memory, requests wait, in order.
 */
export class NbdServer implements RequestSink, ConnectionHost {
  private readonly shared: ServerResources;
  private readonly scheduler: Scheduler;
  private readonly onEvent: (event: NbdEvent) => void;
  private readonly kick: () => void;
  private readonly connections: (Connection | null)[] = new Array(MAX_CONNECTIONS).fill(null);
  private connectionCount = 0;
  private readonly withReplies = new ConnectionRing(MAX_CONNECTIONS);
  private readonly waiting = new ConnectionRing(MAX_CONNECTIONS);
  private kicked = false;
  private ticking = false;
  private stopped: (() => void) | null = null;

  constructor(options: NbdServerOptions) {
    const headersOffset = options.buffers.allocate(HEADER_AREA_BYTES);
    assert(headersOffset !== -1, 'the buffer pool has room for reply headers');
    const served = servedExport(options.exportName, options.description, options.device.geometry);
    const { device, memory, buffers } = options;
    this.shared = new ServerResources(device, memory, buffers, served, this, headersOffset);
    this.scheduler = options.scheduler;
    this.onEvent = options.onEvent ?? (() => {});
    this.kick = options.kick ?? (() => {});
  }

  /** Serves a client that has just connected. */
  accept(stream: ByteStream): void {
    const index = this.connections.indexOf(null);
    if (this.stopped !== null || index === -1) {
      this.onEvent({ kind: 'refused', reason: index === -1 ? 'too many connections' : 'the server stops' });
      stream.attach(REFUSED);
      stream.close();
      return;
    }
    const connection = new Connection(this.shared, stream, index, this);
    this.connections[index] = connection;
    this.connectionCount += 1;
    this.shared.statistics.connections += 1;
    this.onEvent({ kind: 'connected', connection: index });
    this.scheduler.after(HANDSHAKE_MS, () => {
      if (connection.isInHandshake) connection.drop('the handshake took too long');
    });
    this.startTicking();
    connection.open();
  }

  /**
   * Takes no more requests; finishes those in flight and sends their replies, then closes every connection. Clients
   * that do not take their replies are cut off after a few seconds. `whenStopped` comes once, when the last
   * connection is gone and all memory is back in the pool.
   */
  stop(whenStopped: () => void): void {
    assert(this.stopped === null, 'a server stops once');
    this.stopped = whenStopped;
    for (const connection of this.connections) connection?.shutDown();
    this.scheduler.after(STOP_GRACE_MS, () => {
      for (const connection of this.connections) connection?.drop('did not take its replies before the stop');
    });
    if (this.connectionCount === 0) this.scheduler.after(0, () => this.finishStop());
  }

  /** Once per reactor turn: lets waiting connections try again, then sends what became ready. Never has more to do. */
  poll(): boolean {
    this.kicked = false;
    for (let left = this.waiting.length; left > 0; left -= 1) {
      this.connections[this.waiting.shift()]!.resume();
    }
    while (this.withReplies.length > 0) this.connections[this.withReplies.shift()]!.flushReplies();
    return false;
  }

  get usage(): NbdUsage {
    const { requests, slots, buffers } = this.shared;
    return {
      connections: this.connectionCount,
      requests: requests.inUse,
      slots: slots.inUse,
      buffers: buffers.inUse,
    };
  }

  get statistics(): NbdStatistics {
    return this.shared.statistics.snapshot();
  }

  /** From the device. */
  completed(slot: number, errno: number): void {
    const { slots, requests, buffers, inboxes } = this.shared;
    const request = slots.request[slot]!;
    assert(request !== -1, 'the device completes only what was started');
    if (slots.buffer[slot] !== -1) buffers.free(slots.buffer[slot]!);
    if (slots.inbox[slot] !== -1) inboxes.dropReference(slots.inbox[slot]!);
    slots.buffer[slot] = -1;
    slots.inbox[slot] = -1;
    const connection = this.connections[requests.connection[request]!]!;
    if (!connection.operationCompleted(slot, request, errno)) {
      slots.finished(slot);
      connection.operationEnded();
    }
    if (this.waiting.length > 0) this.wantPoll();
  }

  /** From a connection. */
  repliesReady(connection: Connection): void {
    this.withReplies.push(connection.index);
    this.wantPoll();
  }

  /** From a connection. */
  waitForResource(connection: Connection): void {
    this.waiting.push(connection.index);
  }

  /** From a connection. */
  handshakeDone(connection: Connection): void {
    this.onEvent({ kind: 'ready', connection: connection.index });
  }

  /** From a connection. */
  gone(connection: Connection, reason: string): void {
    this.connections[connection.index] = null;
    this.waiting.remove(connection.index);
    this.withReplies.remove(connection.index);
    this.connectionCount -= 1;
    this.onEvent({ kind: 'disconnected', connection: connection.index, reason });
    if (this.waiting.length > 0) this.wantPoll();
    if (this.stopped !== null && this.connectionCount === 0) this.finishStop();
  }

  resourceFreed(): void {
    if (this.waiting.length > 0) this.wantPoll();
  }

  private wantPoll(): void {
    if (this.kicked) return;
    this.kicked = true;
    this.kick();
  }

  private startTicking(): void {
    if (this.ticking) return;
    this.ticking = true;
    this.scheduler.after(TICK_MS, () => this.tickOnce());
  }

  private tickOnce(): void {
    this.ticking = false;
    this.shared.tick += 1;
    for (const connection of this.connections) connection?.checkStall();
    if (this.connectionCount > 0) this.startTicking();
    // Slots may have been freed by another frontend, which does not tell.
    if (this.waiting.length > 0) this.wantPoll();
  }

  private finishStop(): void {
    const whenStopped = this.stopped;
    if (whenStopped === null || this.connectionCount > 0) return;
    this.stopped = () => {};
    this.shared.close();
    whenStopped();
  }
}

/** A stream that is refused says nothing any more. */
const REFUSED: ByteStreamSink = { received() {}, sent() {}, closed() {} };
