/**
 * Numbers of the NBD protocol (https://github.com/NetworkBlockDevice/nbd, doc/proto.md). Every integer on the wire is
 * unsigned and big endian. 64-bit magics are kept as two 32-bit halves.
 */

/** "Fixed newstyle negotiation": what the server says first, and what every option starts with. */
export const NBD_MAGIC = { high: 0x4e42444d, low: 0x41474943 } as const;
export const OPTION_MAGIC = { high: 0x49484156, low: 0x454f5054 } as const;
export const OPTION_REPLY_MAGIC = { high: 0x0003e889, low: 0x045565a9 } as const;

/** Greeting: NBDMAGIC, IHAVEOPT, u16 handshake flags. */
export const GREETING_BYTES = 18;
export const CLIENT_FLAGS_BYTES = 4;
/** IHAVEOPT, u32 option, u32 length. */
export const OPTION_HEADER_BYTES = 16;
/** Magic, u32 option, u32 reply type, u32 length. */
export const OPTION_REPLY_HEADER_BYTES = 20;
/** Reply to EXPORT_NAME: u64 size, u16 flags, and 124 zeroes unless NO_ZEROES was agreed. */
export const EXPORT_NAME_REPLY_BYTES = 10;
export const EXPORT_NAME_PADDING_BYTES = 124;

/** "Handshake flags" and "Client flags" have the same two bits. */
export const HandshakeFlag = { fixedNewstyle: 1, noZeroes: 2 } as const;

/** "Option types". */
export const Option = {
  exportName: 1,
  abort: 2,
  list: 3,
  peekExport: 4,
  startTls: 5,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
  extendedHeaders: 11,
} as const;

/** "Option reply types"; errors have the top bit. */
export const OptionReply = {
  ack: 1,
  server: 2,
  info: 3,
  metaContext: 4,
  unsupported: 0x80000001,
  policy: 0x80000002,
  invalid: 0x80000003,
  platform: 0x80000004,
  tlsRequired: 0x80000005,
  unknown: 0x80000006,
  shutdown: 0x80000007,
  blockSizeRequired: 0x80000008,
  tooBig: 0x80000009,
  extendedHeadersRequired: 0x8000000a,
} as const;

/** "NBD_REP_INFO" types. */
export const Info = { export: 0, name: 1, description: 2, blockSize: 3 } as const;

/** "Transmission flags". */
export const TransmissionFlag = {
  hasFlags: 0x001,
  readOnly: 0x002,
  sendFlush: 0x004,
  sendFua: 0x008,
  rotational: 0x010,
  sendTrim: 0x020,
  sendWriteZeroes: 0x040,
  sendDontFragment: 0x080,
  canMultiConnection: 0x100,
  sendCache: 0x400,
  sendFastZero: 0x800,
} as const;

/** "Request message", compact form. */
export const REQUEST_MAGIC = 0x25609513;
export const REQUEST_HEADER_BYTES = 28;

/** "Request types". */
export const Command = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  cache: 5,
  writeZeroes: 6,
  blockStatus: 7,
} as const;
export const COMMAND_COUNT = 8;

/** "Command flags". */
export const CommandFlag = { fua: 1, noHole: 2, dontFragment: 4, requestOne: 8, fastZero: 16 } as const;

/** "Simple reply message". */
export const SIMPLE_REPLY_MAGIC = 0x67446698;
export const SIMPLE_REPLY_BYTES = 16;

/** "Structured reply chunk message". */
export const CHUNK_MAGIC = 0x668e33ef;
export const CHUNK_HEADER_BYTES = 20;
export const ChunkFlag = { done: 1 } as const;

/** "Structured reply types"; errors have the top bit. */
export const Chunk = {
  none: 0,
  offsetData: 1,
  offsetHole: 2,
  blockStatus: 5,
  error: 0x8001,
  errorOffset: 0x8002,
} as const;

/** "Values" under "Protocol phases: conventions": longest string either side may send. */
export const MAX_STRING_BYTES = 4096;

/** "TCP Port" in doc/uri.md and IANA. */
export const DEFAULT_PORT = 10809;
