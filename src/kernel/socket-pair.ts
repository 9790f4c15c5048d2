import { failed, ok, type Result } from '../base/result.js';
import { socketpair } from './ffi.js';

/** Two connected unix stream sockets, close-on-exec and blocking. The failure is a positive errno. */
export function socketPair(): Result<[number, number], number> {
  const pair = new Uint8Array(8);
  const result = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
  if (result < 0) return failed(-result);
  const view = new DataView(pair.buffer);
  return ok([view.getInt32(0, true), view.getInt32(4, true)]);
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0x80000;
