import { assert } from '../../base/assert.js';
import type { ByteStream, ByteStreamSink } from '../../ports/byte-stream.js';
import { Handshake, type HandshakeStep, type Negotiated } from './handshake.js';
import { Inbox } from './inbox.js';
import { HANDSHAKE_OUTBOX_BYTES, STALL_TICKS } from './limits.js';
import { greeting } from './option-replies.js';
import { ReplyQueue } from './reply-queue.js';
import type { ServerResources } from './server-resources.js';
import { Step } from './step.js';
import { Transmission } from './transmission.js';

/** What a connection asks of its server. */
export interface ConnectionHost {
  /** Call `flushReplies` at the end of this turn. */
  repliesReady(connection: Connection): void;
  /** Call `resume` when something may have become free. */
  waitForResource(connection: Connection): void;
  /** Buffers or requests are free again: whoever waits may try. */
  resourceFreed(): void;
  handshakeDone(connection: Connection): void;
  /** Last call: the stream is closed, the device is done with it, no memory is held. */
  gone(connection: Connection, reason: string): void;
}

/** One client, from its first byte to the moment its last trace is gone. */
export class Connection implements ByteStreamSink {
  readonly index: number;
  private readonly shared: ServerResources;
  private readonly stream: ByteStream;
  private readonly host: ConnectionHost;
  private readonly inbox: Inbox;
  private readonly replies: ReplyQueue;
  private readonly handshake: Handshake;
  private transmission: Transmission | null = null;
  /** Agreed on; counts when the last option reply is out. */
  private negotiated: Negotiated | null = null;
  private phase: 'opening' | 'handshake' | 'transmission' | 'closing' | 'closed' = 'opening';
  private receiving = false;
  private sending = false;
  private receiveTick = 0;
  private sendTick = 0;
  private lastStep: Step = Step.goOn;
  private reason = '';
  /** Close for this reason when the reply being sent is out. */
  private closeAfterReply: string | null = null;

  constructor(shared: ServerResources, stream: ByteStream, index: number, host: ConnectionHost) {
    this.shared = shared;
    this.stream = stream;
    this.index = index;
    this.host = host;
    this.inbox = new Inbox(shared.inboxes, shared.memory, index);
    this.replies = new ReplyQueue(shared.requests, shared.buffers, shared.encoder);
    this.handshake = new Handshake(shared.served);
  }

  open(): void {
    this.stream.attach(this);
    this.resume();
  }

  /** Goes on where something was missing. */
  resume(): void {
    if (this.phase === 'opening') this.greet();
    else if (this.phase === 'transmission') this.pump();
  }

  received(result: number): void {
    this.receiving = false;
    if (this.phase === 'closing') return;
    if (result <= 0) {
      this.drop(result === 0 ? 'the client went away' : `receive failed with errno ${-result}`);
      return;
    }
    if (this.transmission === null) {
      this.inbox.end += result;
      this.continueHandshake();
      return;
    }
    this.transmission.received(result);
    this.pump();
  }

  sent(result: number): void {
    this.sending = false;
    if (this.phase === 'closing') return;
    if (result < 0) {
      this.drop(`send failed with errno ${-result}`);
      return;
    }
    if (this.transmission === null) this.handshakeReplySent();
    else this.batchSent(this.transmission);
  }

  closed(): void {
    assert(this.phase !== 'closed', 'a stream closes once');
    this.phase = 'closed';
    this.shared.giveUpTurns(this.index);
    if (this.transmission !== null) {
      this.transmission.abandon();
      this.transmission.answers.requestCount -= this.replies.clear();
    }
    this.inbox.close();
    this.leaveIfDone();
  }

  /** A device operation of one of its requests completed; true when the slot is in use again. */
  operationCompleted(slot: number, request: number, errno: number): boolean {
    assert(this.transmission !== null, 'only the transmission phase starts device operations');
    return this.transmission.answers.operationCompleted(slot, request, errno);
  }

  /** The slot of a completed operation is free again. */
  operationEnded(): void {
    if (this.phase === 'closed') this.leaveIfDone();
    else if (!this.replies.isEmpty) this.host.repliesReady(this);
  }

  /** Sends what is ready, unless a batch is out already. */
  flushReplies(): void {
    if (this.phase !== 'transmission' || this.sending || this.replies.isEmpty) return;
    this.replies.fillBatch();
    this.shared.statistics.sendStarted();
    this.startSend();
  }

  /** Ends the connection now; the client gets no more answers. Does nothing the second time. */
  drop(reason: string): void {
    if (this.phase === 'closing' || this.phase === 'closed') return;
    this.phase = 'closing';
    this.reason = reason;
    this.shared.giveUpTurns(this.index);
    this.stream.close();
  }

  /** The server stops: answers what is in flight, then ends. */
  shutDown(): void {
    if (this.phase === 'closing' || this.phase === 'closed') return;
    if (this.transmission === null) {
      this.drop('the server stops');
      return;
    }
    this.reason = 'the server stops';
    this.transmission.shuttingDown = true;
    this.pump();
  }

  get isInHandshake(): boolean {
    return this.phase === 'opening' || this.phase === 'handshake';
  }

  /** Called every tick: a client that keeps shared memory and does not move is dropped. */
  checkStall(): void {
    const { tick } = this.shared;
    if (this.sending && tick - this.sendTick >= STALL_TICKS) this.drop('the client takes no replies');
    const midRequest = this.transmission?.isMidRequest ?? false;
    if (this.receiving && midRequest && tick - this.receiveTick >= STALL_TICKS) {
      this.drop('the client stopped in the middle of a write');
    }
  }

  private greet(): void {
    if (!this.inbox.open()) {
      this.host.waitForResource(this);
      return;
    }
    this.inbox.reservedBytes = HANDSHAKE_OUTBOX_BYTES;
    this.phase = 'handshake';
    this.sendBytes(greeting());
  }

  private continueHandshake(): void {
    while (!this.sending && this.phase === 'handshake') {
      const input = this.shared.memory.bytes.subarray(this.inbox.start, this.inbox.end);
      const step = this.handshake.step(input);
      if (step.kind === 'needMore') {
        this.inbox.makeRoom(step.totalBytes);
        this.startReceive(this.inbox.end, this.inbox.roomBytes);
        return;
      }
      this.takeHandshakeStep(step);
    }
  }

  private takeHandshakeStep(step: Exclude<HandshakeStep, { kind: 'needMore' }>): void {
    if (step.kind === 'close') this.closeAfterReply = step.reason;
    else this.inbox.start += step.consumedBytes;
    if (step.kind === 'transmission') this.negotiated = step.negotiated;
    if (step.reply.length > 0) this.sendBytes(step.reply);
    else if (step.kind === 'close') this.drop(step.reason);
  }

  private handshakeReplySent(): void {
    if (this.closeAfterReply !== null) {
      this.drop(this.closeAfterReply);
      return;
    }
    if (this.negotiated === null) {
      this.continueHandshake();
      return;
    }
    this.inbox.reservedBytes = 0;
    this.phase = 'transmission';
    this.transmission = new Transmission(this.shared, this.inbox, this.replies, this.index, this.negotiated);
    this.host.handshakeDone(this);
    this.pump();
  }

  /** Option replies go through the reserved end of the inbox. */
  private sendBytes(bytes: Uint8Array): void {
    assert(bytes.length <= HANDSHAKE_OUTBOX_BYTES, 'an option reply fits its outbox');
    this.shared.memory.bytes.set(bytes, this.inbox.limit);
    this.replies.segments.clear();
    this.replies.segments.push(this.inbox.limit, bytes.length);
    this.startSend();
  }

  private pump(): void {
    if (this.phase !== 'transmission' || this.receiving) {
      this.endIfReceiving();
      return;
    }
    const transmission = this.transmission!;
    const step = transmission.pump();
    this.lastStep = step;
    if (step !== Step.needResource) this.shared.giveUpTurns(this.index);
    if (step === Step.needBytes) this.startReceive(transmission.receiveMemory, transmission.receiveBytes);
    else if (step === Step.needResource) this.host.waitForResource(this);
    else if (step === Step.broken) this.drop('the client broke the protocol');
    if (!this.replies.isEmpty) this.host.repliesReady(this);
    this.endIfAnswered();
  }

  /** While a receive is out there is nothing to parse; a shutdown does not wait for it. */
  private endIfReceiving(): void {
    if (this.phase !== 'transmission' || !this.transmission?.shuttingDown) return;
    this.lastStep = Step.end;
    this.endIfAnswered();
  }

  private endIfAnswered(): void {
    if (this.lastStep !== Step.end || this.sending || !this.replies.isEmpty) return;
    if (this.transmission?.isAnswered) this.drop(this.reason || 'the client disconnected');
  }

  private batchSent(transmission: Transmission): void {
    transmission.answers.requestCount -= this.replies.batchSent();
    this.host.resourceFreed();
    // What gathered while the batch went out has waited long enough.
    this.flushReplies();
    if (this.lastStep === Step.needReplies) this.pump();
    else this.endIfAnswered();
  }

  private startReceive(memoryOffset: number, lengthBytes: number): void {
    assert(lengthBytes > 0 && !this.receiving, 'one receive at a time, with room');
    this.receiving = true;
    this.receiveTick = this.shared.tick;
    this.stream.receive(memoryOffset, lengthBytes);
  }

  private startSend(): void {
    this.sending = true;
    this.sendTick = this.shared.tick;
    this.stream.send(this.replies.segments);
  }

  private leaveIfDone(): void {
    if (this.transmission === null || this.transmission.answers.requestCount === 0)
      this.host.gone(this, this.reason);
  }
}
