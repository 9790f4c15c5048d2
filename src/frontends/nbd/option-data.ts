import { MAX_STRING_BYTES } from './protocol.js';

/** Reads the data of one option; every getter gives null when the data is too short or not what the protocol allows. */
export class OptionData {
  private readonly view: DataView;
  private position = 0;

  constructor(data: Uint8Array) {
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  get remainingBytes(): number {
    return this.view.byteLength - this.position;
  }

  u16(): number | null {
    if (this.remainingBytes < 2) return null;
    this.position += 2;
    return this.view.getUint16(this.position - 2);
  }

  u32(): number | null {
    if (this.remainingBytes < 4) return null;
    this.position += 4;
    return this.view.getUint32(this.position - 4);
  }

  /** A string behind its u32 length. */
  countedText(): string | null {
    const lengthBytes = this.u32();
    return lengthBytes === null ? null : this.text(lengthBytes);
  }

  /** UTF-8 without NUL, at most 4096 bytes ("Conventions"). */
  text(lengthBytes: number): string | null {
    if (lengthBytes > MAX_STRING_BYTES || lengthBytes > this.remainingBytes) return null;
    const bytes = new Uint8Array(this.view.buffer, this.view.byteOffset + this.position, lengthBytes);
    this.position += lengthBytes;
    return decodeText(bytes);
  }
}

function decodeText(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  // A broken sequence was replaced, so it encodes differently.
  return Buffer.from(text, 'utf8').equals(bytes) ? text : null;
}
