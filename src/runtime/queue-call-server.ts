import type { UringReactor } from '../kernel/reactor.js';
import { failure } from './failure.js';
import type { Mailbox } from './mailbox.js';
import type { CallMessage } from './messages.js';
import type { OpenedQueue } from './open-queue.js';
import type { UblkQueueServer } from './ublk-queue-server.js';

/** Does what the main thread calls for, on the thread of a further queue: a part of what `CallServer` does. */
export class QueueCallServer {
  readonly #parts: QueueCallParts;
  readonly #ended: (inOrder: boolean) => void;

  constructor(parts: QueueCallParts, ended: (inOrder: boolean) => void) {
    this.#parts = parts;
    this.#ended = ended;
  }

  handle({ id, call }: CallMessage): void {
    const { ublk, mailbox } = this.#parts;
    const answer = (): void => mailbox.post({ kind: 'answer', id, value: undefined });
    switch (call.verb) {
      case 'ublkServe': {
        const problem = ublk.start(call.job);
        if (problem === undefined) return answer();
        return mailbox.post({ kind: 'refusal', id, failure: problem });
      }
      case 'ublkEnded':
        return ublk.whenEnded(answer);
      case 'ublkRelease':
        return ublk.release(answer);
      case 'close':
        return this.#close(answer);
      case 'abandon':
        return this.#ended(false);
      default: {
        const problem = failure('system', `the thread of a queue does not know "${call.verb}"`);
        return mailbox.post({ kind: 'refusal', id, failure: problem });
      }
    }
  }

  #close(answer: () => void): void {
    const { queue, ublk, reactor } = this.#parts;
    if (!queue.device.isIdle || !ublk.isOver) return reactor.after(IDLE_CHECK_MS, () => this.#close(answer));
    queue.close();
    answer();
    this.#ended(true);
  }
}

export interface QueueCallParts {
  readonly queue: OpenedQueue;
  readonly ublk: UblkQueueServer;
  readonly reactor: UringReactor;
  readonly mailbox: Mailbox;
}

const IDLE_CHECK_MS = 5;
