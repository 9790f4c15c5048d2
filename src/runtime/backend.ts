import { failed, ok, type Result } from '../base/result.js';
import { NodeReactor } from '../kernel/node-reactor.js';
import { UringReactor } from '../kernel/reactor.js';
import type { Failure } from './failure.js';
import { failure } from './failure.js';

/** How a device thread does its I/O. */
export type Backend =
  | { readonly kind: 'uring'; readonly reactor: UringReactor; readonly why: string }
  | { readonly kind: 'portable'; readonly reactor: NodeReactor; readonly why: string };

/** io_uring where the kernel permits it, else plain file I/O on Node's event loop; `wanted` forces one. */
export function chooseBackend(
  wanted: 'uring' | 'portable' | undefined,
  wakeUpFd: number,
): Result<Backend, Failure> {
  if (wanted === 'portable') return ok(portable('asked for'));
  const reactor = UringReactor.open(SUBMISSION_ENTRIES, wakeUpFd);
  if (reactor.ok)
    return ok({
      kind: 'uring',
      reactor: reactor.value,
      why: wanted === undefined ? 'available' : 'asked for',
    });
  const { meaning } = reactor.error;
  if (wanted === 'uring')
    return failed(failure('system', `io_uring can't be used: ${meaning}; allow it, or use --io portable`));
  return ok(portable(`io_uring can't be used: ${meaning}`));
}

function portable(why: string): Backend {
  return { kind: 'portable', reactor: new NodeReactor(), why };
}

/** Handed to the kernel at once; more may be in flight. */
const SUBMISSION_ENTRIES = 512;
