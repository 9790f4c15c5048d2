import { REQUEST_MAGIC } from './protocol.js';

/** The request header parsed last; one object per connection, filled again and again. */
export class RequestHeader {
  flags = 0;
  type = 0;
  cookieHigh = 0;
  cookieLow = 0;
  /** Not exact above 2^53, which is past the end of every export. */
  offsetBytes = 0;
  lengthBytes = 0;

  /** Reads the 28 bytes at `at`; false when the magic is wrong and nothing behind can be trusted. */
  parse(view: DataView, at: number): boolean {
    if (view.getUint32(at) !== REQUEST_MAGIC) return false;
    this.flags = view.getUint16(at + 4);
    this.type = view.getUint16(at + 6);
    this.cookieHigh = view.getUint32(at + 8);
    this.cookieLow = view.getUint32(at + 12);
    this.offsetBytes = view.getUint32(at + 16) * 2 ** 32 + view.getUint32(at + 20);
    this.lengthBytes = view.getUint32(at + 24);
    return true;
  }
}
