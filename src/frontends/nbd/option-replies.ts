import { META_CONTEXTS, type MetaContextSet } from './meta-contexts.js';
import {
  EXPORT_NAME_PADDING_BYTES,
  EXPORT_NAME_REPLY_BYTES,
  GREETING_BYTES,
  HandshakeFlag,
  Info,
  NBD_MAGIC,
  OPTION_MAGIC,
  OPTION_REPLY_HEADER_BYTES,
  OPTION_REPLY_MAGIC,
  OptionReply,
} from './protocol.js';
import type { ServedExport } from './served-export.js';

/** The server's first bytes. */
export function greeting(): Uint8Array {
  const bytes = new Uint8Array(GREETING_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, NBD_MAGIC.high);
  view.setUint32(4, NBD_MAGIC.low);
  view.setUint32(8, OPTION_MAGIC.high);
  view.setUint32(12, OPTION_MAGIC.low);
  view.setUint16(16, HandshakeFlag.fixedNewstyle | HandshakeFlag.noZeroes);
  return bytes;
}

/** One option reply; `data` is text for errors. */
export function optionReply(option: number, type: number, data: Uint8Array | string = ''): Uint8Array {
  const payload = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const bytes = new Uint8Array(OPTION_REPLY_HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, OPTION_REPLY_MAGIC.high);
  view.setUint32(4, OPTION_REPLY_MAGIC.low);
  view.setUint32(8, option);
  view.setUint32(12, type);
  view.setUint32(16, payload.length);
  bytes.set(payload, OPTION_REPLY_HEADER_BYTES);
  return bytes;
}

/** Answer to EXPORT_NAME, which has no reply header. */
export function exportNameReply(served: ServedExport, flags: number, noZeroes: boolean): Uint8Array {
  const bytes = new Uint8Array(EXPORT_NAME_REPLY_BYTES + (noZeroes ? 0 : EXPORT_NAME_PADDING_BYTES));
  const view = new DataView(bytes.buffer);
  setSize(view, 0, served.sizeBytes);
  view.setUint16(8, flags);
  return bytes;
}

/** The one entry of LIST. */
export function listReply(option: number, served: ServedExport): Uint8Array {
  const name = new TextEncoder().encode(served.name);
  const description = new TextEncoder().encode(served.description);
  const bytes = new Uint8Array(4 + name.length + description.length);
  new DataView(bytes.buffer).setUint32(0, name.length);
  bytes.set(name, 4);
  bytes.set(description, 4 + name.length);
  return optionReply(option, OptionReply.server, bytes);
}

export function exportInfo(option: number, served: ServedExport, flags: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Info.export);
  setSize(view, 2, served.sizeBytes);
  view.setUint16(10, flags);
  return optionReply(option, OptionReply.info, bytes);
}

export function blockSizeInfo(option: number, served: ServedExport, maximumBytes: number): Uint8Array {
  const bytes = new Uint8Array(14);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Info.blockSize);
  view.setUint32(2, served.minimumBlockBytes);
  view.setUint32(6, served.preferredBlockBytes);
  view.setUint32(10, maximumBytes);
  return optionReply(option, OptionReply.info, bytes);
}

/** NAME or DESCRIPTION. */
export function textInfo(option: number, type: number, text: string): Uint8Array {
  const encoded = new TextEncoder().encode(text);
  const bytes = new Uint8Array(2 + encoded.length);
  new DataView(bytes.buffer).setUint16(0, type);
  bytes.set(encoded, 2);
  return optionReply(option, OptionReply.info, bytes);
}

/** One META_CONTEXT reply per context of the set; LIST gives the id 0. */
export function contextReplies(option: number, set: MetaContextSet, withIds: boolean): Uint8Array[] {
  const chosen = META_CONTEXTS.filter((context) => set & context.bit);
  return chosen.map((context) => {
    const name = new TextEncoder().encode(context.name);
    const bytes = new Uint8Array(4 + name.length);
    new DataView(bytes.buffer).setUint32(0, withIds ? context.id : 0);
    bytes.set(name, 4);
    return optionReply(option, OptionReply.metaContext, bytes);
  });
}

function setSize(view: DataView, at: number, sizeBytes: number): void {
  view.setUint32(at, Math.floor(sizeBytes / 2 ** 32));
  view.setUint32(at + 4, sizeBytes >>> 0);
}
