import { answerOption } from './handshake-options.js';
import { MAX_OPTION_DATA_BYTES, MAX_OPTIONS } from './limits.js';
import type { MetaContextSet } from './meta-contexts.js';
import { OptionData } from './option-data.js';
import { exportNameReply, optionReply } from './option-replies.js';
import {
  CLIENT_FLAGS_BYTES,
  HandshakeFlag,
  OPTION_HEADER_BYTES,
  OPTION_MAGIC,
  Option,
  OptionReply,
  TransmissionFlag,
} from './protocol.js';
import type { ServedExport } from './served-export.js';

/** What a connection agreed on when it enters the transmission phase. */
export interface Negotiated {
  readonly structuredReplies: boolean;
  readonly contexts: MetaContextSet;
}

export type HandshakeStep =
  /** Call again when the input has at least this many bytes. */
  | { readonly kind: 'needMore'; readonly totalBytes: number }
  | { readonly kind: 'reply'; readonly consumedBytes: number; readonly reply: Uint8Array }
  | {
      readonly kind: 'transmission';
      readonly consumedBytes: number;
      readonly reply: Uint8Array;
      readonly negotiated: Negotiated;
    }
  /** Send the reply (it may be empty), then close. */
  | { readonly kind: 'close'; readonly reply: Uint8Array; readonly reason: string };

/** Choices of the client that later options and the transmission phase depend on. */
export interface Haggling {
  structuredReplies: boolean;
  /** Contexts of the last SET_META_CONTEXT, and the export name it was for. */
  contexts: MetaContextSet;
  contextsFor: string | null;
}

const NOTHING = new Uint8Array(0);

/**
 * The handshake of one connection after the greeting went out: bytes in, replies out. Fixed newstyle negotiation
 * without TLS; knows no socket. After 'transmission' or 'close' it must not be called again.
 */
export class Handshake {
  private state: 'clientFlags' | 'options' | 'ended' = 'clientFlags';
  private fixedNewstyle = false;
  private noZeroes = false;
  private optionCount = 0;
  private readonly served: ServedExport;
  private readonly haggling: Haggling = { structuredReplies: false, contexts: 0, contextsFor: null };

  constructor(served: ServedExport) {
    this.served = served;
  }

  /** Handles the next message at the start of `input`. */
  step(input: Uint8Array): HandshakeStep {
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    const step = this.state === 'clientFlags' ? this.clientFlags(view) : this.option(input, view);
    if (step.kind === 'transmission' || step.kind === 'close') this.state = 'ended';
    return step;
  }

  private clientFlags(view: DataView): HandshakeStep {
    if (view.byteLength < CLIENT_FLAGS_BYTES) return { kind: 'needMore', totalBytes: CLIENT_FLAGS_BYTES };
    const flags = view.getUint32(0);
    if ((flags & ~(HandshakeFlag.fixedNewstyle | HandshakeFlag.noZeroes)) !== 0) {
      return close('unknown client flags');
    }
    this.fixedNewstyle = (flags & HandshakeFlag.fixedNewstyle) !== 0;
    this.noZeroes = (flags & HandshakeFlag.noZeroes) !== 0;
    this.state = 'options';
    return { kind: 'reply', consumedBytes: CLIENT_FLAGS_BYTES, reply: NOTHING };
  }

  private option(input: Uint8Array, view: DataView): HandshakeStep {
    if (view.byteLength < OPTION_HEADER_BYTES) return { kind: 'needMore', totalBytes: OPTION_HEADER_BYTES };
    if (view.getUint32(0) !== OPTION_MAGIC.high || view.getUint32(4) !== OPTION_MAGIC.low) {
      return close('wrong option magic');
    }
    const option = view.getUint32(8);
    const lengthBytes = view.getUint32(12);
    if (!this.fixedNewstyle && option !== Option.exportName) return close('option without fixed newstyle');
    if (lengthBytes > MAX_OPTION_DATA_BYTES) {
      return close('option data too long', optionReply(option, OptionReply.tooBig, 'option data too long'));
    }
    const totalBytes = OPTION_HEADER_BYTES + lengthBytes;
    if (view.byteLength < totalBytes) return { kind: 'needMore', totalBytes };
    this.optionCount += 1;
    if (this.optionCount > MAX_OPTIONS) return close('too many options');
    return this.complete(option, input.subarray(OPTION_HEADER_BYTES, totalBytes), totalBytes);
  }

  private complete(option: number, data: Uint8Array, consumedBytes: number): HandshakeStep {
    if (option === Option.exportName) return this.exportName(data, consumedBytes);
    if (option === Option.abort) return close('aborted by the client', optionReply(option, OptionReply.ack));
    const answer = answerOption(option, new OptionData(data), this.served, this.haggling, this.flags());
    const reply = Buffer.concat(answer.replies);
    if (answer.chosenName === null) return { kind: 'reply', consumedBytes, reply };
    return { kind: 'transmission', consumedBytes, reply, negotiated: this.negotiated(answer.chosenName) };
  }

  private exportName(data: Uint8Array, consumedBytes: number): HandshakeStep {
    const name = new OptionData(data).text(data.length);
    if (name === null || (name !== '' && name !== this.served.name)) return close('no such export');
    const reply = exportNameReply(this.served, this.flags(), this.noZeroes);
    return { kind: 'transmission', consumedBytes, reply, negotiated: this.negotiated(name) };
  }

  private flags(): number {
    return this.served.flags | (this.haggling.structuredReplies ? TransmissionFlag.sendDontFragment : 0);
  }

  /** Contexts count only for the export they were selected for. */
  private negotiated(name: string): Negotiated {
    const { structuredReplies, contexts, contextsFor } = this.haggling;
    return { structuredReplies, contexts: contextsFor === name ? contexts : 0 };
  }
}

function close(reason: string, reply: Uint8Array = NOTHING): HandshakeStep {
  return { kind: 'close', reply, reason };
}
