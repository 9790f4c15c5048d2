import type { FlushHistory } from '../flush-history.js';
import { NbdError, nbdErrorOf, worseError } from './errors.js';
import { Command, CommandFlag } from './protocol.js';
import type { ReplyQueue } from './reply-queue.js';
import type { ServerResources } from './server-resources.js';

/** Turns completed requests of one connection into replies. */
export class RequestAnswers {
  /** Requests from their header to their sent reply. */
  requestCount = 0;
  /** Nobody is left to answer: requests just end. */
  abandoned = false;
  private readonly shared: ServerResources;
  private readonly replies: ReplyQueue;
  private readonly history: FlushHistory;
  private readonly structuredReplies: boolean;

  constructor(
    shared: ServerResources,
    replies: ReplyQueue,
    history: FlushHistory,
    structuredReplies: boolean,
  ) {
    this.shared = shared;
    this.replies = replies;
    this.history = history;
    this.structuredReplies = structuredReplies;
  }

  /**
   * A device operation completed. Returns true when it started the next one on the same slot, which is then still
   * in use.
   */
  operationCompleted(slot: number, request: number, errno: number): boolean {
    const { requests } = this.shared;
    const isTrim = requests.type[request] === Command.trim;
    const error = isTrim ? trimError(errno) : nbdErrorOf(errno, this.isFastZero(request));
    if (error !== NbdError.none) requests.error[request] = worseError(requests.error[request]!, error);
    else if (isTrim && requests.flags[request]! & CommandFlag.fua) {
      this.flushAfterTrim(slot, request);
      return true;
    }
    requests.outstanding[request]! -= 1;
    if (requests.isDone(request)) this.finish(request);
    return false;
  }

  /** Every operation of the current request was started. */
  started(request: number): void {
    this.shared.requests.starting[request] = 0;
    if (this.shared.requests.isDone(request)) this.finish(request);
  }

  /** Answers a request that no operation was started for. */
  answer(request: number): void {
    const { requests, statistics } = this.shared;
    const error = requests.error[request]!;
    requests.starting[request] = 0;
    statistics.answered(requests.type[request]!, requests.lengthBytes[request]!, error);
    if (error !== NbdError.none || this.abandoned) this.replies.freePieces(request, 0);
    if (this.abandoned) {
      this.requestCount -= 1;
      requests.release(request);
      return;
    }
    this.encode(request, error);
    this.replies.push(request);
  }

  /** All operations of a request are done. */
  private finish(request: number): void {
    const { requests } = this.shared;
    const type = requests.type[request]!;
    if (type === Command.write || type === Command.trim || type === Command.writeZeroes) {
      this.history.writeFinished();
    } else if (type === Command.flush) {
      const ok = requests.error[request] === NbdError.none;
      const mayTell = this.history.flushFinished(requests.flushMark[request]!, ok, !this.abandoned);
      if (ok && !mayTell) requests.error[request] = NbdError.io;
    }
    this.answer(request);
  }

  /** FUA on TRIM: the same slot goes on as a flush, and so does the request. */
  private flushAfterTrim(slot: number, request: number): void {
    const { requests, device } = this.shared;
    this.history.writeFinished();
    requests.type[request] = Command.flush;
    requests.flushMark[request] = this.history.flushStarted();
    device.flush(slot);
  }

  private encode(request: number, error: number): void {
    const { requests, encoder } = this.shared;
    const isStatus = requests.type[request] === Command.blockStatus;
    if (error === NbdError.none) {
      // The chunks of a status reply were written when its buffers were filled.
      if (!isStatus) encoder.success(request, this.structuredReplies);
    } else if (this.structuredReplies) encoder.errorChunk(request, error, this.badOffset(request, error));
    else encoder.simple(request, error);
  }

  /** Where a failed read met lost blocks, or -1 when that is not why, or not known. */
  private badOffset(request: number, error: number): number {
    const { requests, blockStatus } = this.shared;
    if (error !== NbdError.io || requests.type[request] !== Command.read) return -1;
    return blockStatus.firstLost(requests.offsetBytes[request]!, requests.lengthBytes[request]!);
  }

  private isFastZero(request: number): boolean {
    return (this.shared.requests.flags[request]! & CommandFlag.fastZero) !== 0;
  }
}

/** Trim is a hint: a device that can't do it has done its best. */
function trimError(errno: number): number {
  const error = nbdErrorOf(errno, true);
  return error === NbdError.notSupported ? NbdError.none : error;
}
