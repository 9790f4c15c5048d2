import { FlushHistory } from '../flush-history.js';
import { NbdError } from './errors.js';
import type { Negotiated } from './handshake.js';
import type { Inbox } from './inbox.js';
import { MAX_REQUESTS_PER_CONNECTION, MAX_SKIPPED_PAYLOAD_BYTES } from './limits.js';
import { Command, REQUEST_HEADER_BYTES } from './protocol.js';
import type { ReplyQueue } from './reply-queue.js';
import { RequestAnswers } from './request-answers.js';
import { RequestHeader } from './request-header.js';
import { type RequestRules, requestError } from './request-rules.js';
import { RequestStarter } from './request-starter.js';
import type { ServerResources } from './server-resources.js';
import { Step } from './step.js';
import { WriteIntake } from './write-intake.js';

/** Where the parser stands. */
const Phase = {
  header: 0,
  /** Dropping the payload of a refused write. */
  skipping: 1,
  /** A header is parsed; it needs a place in the request table. */
  admitting: 2,
  /** The current request is being given to the device. */
  starting: 3,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/**
 * The transmission phase of one connection: parses what is in the inbox and starts what it asks for. It knows no
 * socket: `pump` says what it needs next.
 */
export class Transmission {
  /** Where to receive after `pump` said needBytes. */
  receiveMemory = 0;
  receiveBytes = 0;
  /** From now on requests earn ESHUTDOWN, and what has not arrived is not waited for. */
  shuttingDown = false;
  readonly answers: RequestAnswers;
  private readonly shared: ServerResources;
  private readonly inbox: Inbox;
  private readonly connection: number;
  private readonly rules: RequestRules;
  private readonly history: FlushHistory;
  private readonly starter: RequestStarter;
  private readonly intake: WriteIntake;
  private readonly header = new RequestHeader();
  private phase: Phase = Phase.header;
  /** The request that is being started, or -1. */
  private current = -1;
  private headerError: number = NbdError.none;
  private skipBytes = 0;
  /** Receive only the next header, so that a large payload behind it lands in its buffer. */
  private peeking = false;
  private receivingChunk = false;
  private ended = false;

  constructor(
    shared: ServerResources,
    inbox: Inbox,
    replies: ReplyQueue,
    connection: number,
    negotiated: Negotiated,
  ) {
    const { structuredReplies, contexts } = negotiated;
    this.shared = shared;
    this.inbox = inbox;
    this.connection = connection;
    this.rules = {
      export: shared.served,
      readOnly: shared.device.geometry.readOnly,
      structuredReplies,
      hasContexts: contexts !== 0,
    };
    this.history = new FlushHistory(shared.unflushed);
    this.answers = new RequestAnswers(shared, replies, this.history, structuredReplies);
    this.starter = new RequestStarter(shared, replies, this.history, connection, contexts);
    this.intake = new WriteIntake(shared, inbox, connection);
  }

  /** Goes on until something is missing. After `end` or `broken` it only repeats `end`. */
  pump(): Step {
    let step: Step = this.ended ? Step.end : Step.goOn;
    while (step === Step.goOn) step = this.step();
    if (step === Step.needBytes) step = this.shuttingDown ? Step.end : this.prepareReceive();
    if (step === Step.end || step === Step.broken) this.ended = true;
    return step;
  }

  /** Bytes arrived where the last `pump` wanted them. */
  received(lengthBytes: number): void {
    if (this.receivingChunk) this.intake.received(lengthBytes);
    else this.inbox.end += lengthBytes;
  }

  /** A request is half there: it holds a place in the table, maybe a buffer, until the client goes on. */
  get isMidRequest(): boolean {
    return this.current !== -1;
  }

  /** After the end: every request but one that will never be complete has been answered, and the answer is out. */
  get isAnswered(): boolean {
    return this.answers.requestCount === (this.isMidRequest ? 1 : 0);
  }

  /** The stream is closed and touches no memory: requests not answered end with their last device operation. */
  abandon(): void {
    this.answers.abandoned = true;
    this.ended = true;
    this.intake.abandon();
    if (this.current !== -1) this.answers.started(this.current);
    this.current = -1;
  }

  private step(): Step {
    switch (this.phase) {
      case Phase.header:
        return this.parseHeader();
      case Phase.skipping:
        return this.skipPayload();
      case Phase.admitting:
        return this.admit();
      case Phase.starting:
        return this.start();
    }
  }

  private parseHeader(): Step {
    if (this.answers.requestCount >= MAX_REQUESTS_PER_CONNECTION) return Step.needReplies;
    if (this.inbox.availableBytes < REQUEST_HEADER_BYTES) return Step.needBytes;
    const { header } = this;
    if (!header.parse(this.shared.memory.view, this.inbox.start)) return Step.broken;
    this.inbox.start += REQUEST_HEADER_BYTES;
    this.peeking = false;
    if (header.type === Command.disconnect) return Step.end;
    this.headerError = this.shuttingDown ? NbdError.shuttingDown : requestError(header, this.rules);
    this.phase = Phase.admitting;
    if (header.type !== Command.write || this.headerError === NbdError.none) return Step.goOn;
    if (header.lengthBytes > MAX_SKIPPED_PAYLOAD_BYTES) return Step.broken;
    this.skipBytes = header.lengthBytes;
    this.phase = Phase.skipping;
    return Step.goOn;
  }

  private skipPayload(): Step {
    const lengthBytes = Math.min(this.skipBytes, this.inbox.availableBytes);
    this.inbox.start += lengthBytes;
    this.skipBytes -= lengthBytes;
    if (this.skipBytes > 0) return Step.needBytes;
    this.phase = Phase.admitting;
    return Step.goOn;
  }

  private admit(): Step {
    const { requests } = this.shared;
    const request = requests.acquire(this.connection);
    if (request === -1) return Step.needResource;
    const { header } = this;
    this.answers.requestCount += 1;
    requests.type[request] = Math.min(header.type, 0xff);
    requests.flags[request] = header.flags;
    requests.cookieHigh[request] = header.cookieHigh;
    requests.cookieLow[request] = header.cookieLow;
    requests.offsetBytes[request] = header.offsetBytes;
    requests.lengthBytes[request] = header.lengthBytes;
    requests.error[request] = this.headerError;
    this.phase = Phase.header;
    if (this.isAnsweredAtOnce()) this.answers.answer(request);
    else this.begin(request);
    return Step.goOn;
  }

  /** Refused, empty, or CACHE, which has nothing to do here. */
  private isAnsweredAtOnce(): boolean {
    const { type, lengthBytes } = this.header;
    if (this.headerError !== NbdError.none || type === Command.cache) return true;
    return lengthBytes === 0 && type !== Command.flush;
  }

  private begin(request: number): void {
    const { type } = this.header;
    this.current = request;
    this.phase = Phase.starting;
    if (type === Command.write || type === Command.trim || type === Command.writeZeroes) {
      this.history.writeStarted();
    }
    if (type === Command.write) this.intake.begin(request);
    else this.starter.begin(request);
  }

  private start(): Step {
    const isWrite = this.header.type === Command.write;
    const step = isWrite ? this.intake.step() : this.starter.step();
    if (step !== Step.goOn) return step;
    if (isWrite) this.peeking = this.intake.wasLarge;
    const request = this.current;
    this.current = -1;
    this.phase = Phase.header;
    this.answers.started(request);
    return Step.goOn;
  }

  private prepareReceive(): Step {
    this.receivingChunk = this.phase === Phase.starting && this.intake.receiveBytes > 0;
    if (this.receivingChunk) {
      this.receiveMemory = this.intake.receiveMemory;
      this.receiveBytes = this.intake.receiveBytes;
      return Step.needBytes;
    }
    if (!this.inbox.makeRoom(this.neededInboxBytes())) return Step.needResource;
    this.receiveMemory = this.inbox.end;
    this.receiveBytes = this.peeking
      ? REQUEST_HEADER_BYTES - this.inbox.availableBytes
      : this.inbox.roomBytes;
    return Step.needBytes;
  }

  private neededInboxBytes(): number {
    if (this.phase === Phase.starting) return this.intake.inboxBytes;
    return this.phase === Phase.header ? REQUEST_HEADER_BYTES : 1;
  }
}
