import { MAX_OPTION_DATA_BYTES, MAX_OPTIONS } from './limits.js';
import { optionReply } from './option-replies.js';
import {
  CLIENT_FLAGS_BYTES,
  HandshakeFlag,
  OPTION_HEADER_BYTES,
  OPTION_MAGIC,
  Option,
  OptionReply,
} from './protocol.js';

export type TlsHandshakeStep =
  | { readonly kind: 'needMore' }
  | { readonly kind: 'reply'; readonly consumedBytes: number; readonly reply: Uint8Array }
  /** Send the reply in plain text, then speak TLS. `noZeroes`: the client flag the real server must learn of. */
  | { readonly kind: 'startTls'; readonly reply: Uint8Array; readonly noZeroes: boolean }
  | { readonly kind: 'close'; readonly reply: Uint8Array; readonly reason: string };

const NOTHING = new Uint8Array(0);
const NEED_MORE: TlsHandshakeStep = { kind: 'needMore' };

/**
 * The plain-text start of a connection that must use TLS ("FORCEDTLS mode"): every option but STARTTLS and ABORT is
 * told that TLS comes first. Nothing said here counts afterwards.
 */
export class TlsHandshake {
  private noZeroes: boolean | null = null;
  private optionCount = 0;

  /** Handles the next message at the start of `input`. */
  step(input: Uint8Array): TlsHandshakeStep {
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    if (this.noZeroes === null) return this.clientFlags(view);
    if (view.byteLength < OPTION_HEADER_BYTES) return NEED_MORE;
    if (view.getUint32(0) !== OPTION_MAGIC.high || view.getUint32(4) !== OPTION_MAGIC.low) {
      return close('wrong option magic');
    }
    const option = view.getUint32(8);
    const lengthBytes = view.getUint32(12);
    if (lengthBytes > MAX_OPTION_DATA_BYTES) return close('option data too long');
    if (option === Option.exportName) return close('export chosen without TLS');
    if (view.byteLength < OPTION_HEADER_BYTES + lengthBytes) return NEED_MORE;
    this.optionCount += 1;
    if (this.optionCount > MAX_OPTIONS) return close('too many options');
    return this.answer(option, lengthBytes, view.byteLength, this.noZeroes);
  }

  private clientFlags(view: DataView): TlsHandshakeStep {
    if (view.byteLength < CLIENT_FLAGS_BYTES) return NEED_MORE;
    const flags = view.getUint32(0);
    if ((flags & ~(HandshakeFlag.fixedNewstyle | HandshakeFlag.noZeroes)) !== 0) {
      return close('unknown client flags');
    }
    if ((flags & HandshakeFlag.fixedNewstyle) === 0) return close('TLS needs fixed newstyle');
    this.noZeroes = (flags & HandshakeFlag.noZeroes) !== 0;
    return { kind: 'reply', consumedBytes: CLIENT_FLAGS_BYTES, reply: NOTHING };
  }

  private answer(
    option: number,
    lengthBytes: number,
    inputBytes: number,
    noZeroes: boolean,
  ): TlsHandshakeStep {
    const consumedBytes = OPTION_HEADER_BYTES + lengthBytes;
    if (option === Option.abort) return close('aborted by the client', optionReply(option, OptionReply.ack));
    if (option !== Option.startTls) {
      const reply = optionReply(option, OptionReply.tlsRequired, 'this server needs TLS');
      return { kind: 'reply', consumedBytes, reply };
    }
    if (lengthBytes > 0) {
      const reply = optionReply(option, OptionReply.invalid, 'STARTTLS takes no data');
      return { kind: 'reply', consumedBytes, reply };
    }
    // Somebody in between may have put it there to be taken for something said under TLS.
    if (inputBytes > consumedBytes) return close('plain text behind STARTTLS');
    return { kind: 'startTls', reply: optionReply(option, OptionReply.ack), noZeroes };
  }
}

function close(reason: string, reply: Uint8Array = NOTHING): TlsHandshakeStep {
  return { kind: 'close', reply, reason };
}
