import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { assert } from '../base/assert.js';
import { errnoName } from '../base/errno.js';
import type { MappedMemory } from '../kernel/aligned-memory.js';
import type { Backend } from './backend.js';
import { chooseBackend } from './backend.js';
import { CallServer } from './call-server.js';
import type { DeviceNotice } from './device-report.js';
import { Mailbox } from './mailbox.js';
import type { ThreadOptions } from './messages.js';
import { notice } from './notice.js';
import { mapDeviceMemory, startDevice } from './start-device.js';

/**
 * The thread of one protected device: opens it, serves it and the calls of the main thread, and ends after `close`.
 * With io_uring it sits in the kernel between turns and its event loop stands still; see `Mailbox`.
 */
function runDeviceThread(port: MessagePort, options: ThreadOptions): void {
  const backend = chooseBackend(options.io, options.wakeUpFd);
  if (!backend.ok) return port.postMessage({ kind: 'openFailed', failure: backend.error });
  const mailbox = new Mailbox(port, backend.value);
  const { memory, problem } = mapDeviceMemory(options.ublkMemoryBytes);
  const turning = new Turning(backend.value, mailbox, memory);
  const { kind, why } = backend.value;
  const how = kind === 'uring' ? 'io_uring' : 'plain file calls';
  mailbox.tell(notice('info', 'backendChosen', `I/O by ${how}: ${why}`, { io: kind }));
  if (problem < 0) mailbox.tell(notLocked(problem));
  startDevice(options, backend.value, memory, mailbox, (started) => {
    if (!started.ok) {
      mailbox.post({ kind: 'openFailed', failure: started.error });
      return turning.end(true);
    }
    const calls = new CallServer(started.value, mailbox, (inOrder) => turning.end(inOrder));
    mailbox.post({ kind: 'opened', info: started.value.info });
    mailbox.listen((message) => calls.handle(message));
  });
  turning.run();
}

function notLocked(problem: number): DeviceNotice {
  const message = `memory pressure may stall the device: mlock2: ${errnoName(-problem)}`;
  return notice('warn', 'unguarded', message, { errno: errnoName(-problem) });
}

/** The loop of the thread, and its end. */
class Turning {
  readonly #backend: Backend;
  readonly #mailbox: Mailbox;
  /** Given back at an end in order. */
  readonly #memory: MappedMemory;
  #hasEnded = false;
  #inOrder = true;

  constructor(backend: Backend, mailbox: Mailbox, memory: MappedMemory) {
    this.#backend = backend;
    this.#mailbox = mailbox;
    this.#memory = memory;
  }

  /** Returns when `end` was called; on Node's event loop at once, and the thread ends when nothing is left to do. */
  run(): void {
    if (this.#backend.kind === 'portable') return;
    if (!this.#hasEnded) this.#backend.reactor.run();
    if (!this.#inOrder) return;
    this.#backend.reactor.close();
    this.#memory.unmap();
  }

  /** `inOrder`: no I/O is in flight, so the ring can be given back. */
  end(inOrder: boolean): void {
    this.#hasEnded = true;
    this.#inOrder = inOrder;
    this.#mailbox.close();
    if (this.#backend.kind === 'uring') return this.#backend.reactor.stop();
    this.#backend.reactor.close();
    // Later: this may be called from the completion of the last I/O.
    if (inOrder) setImmediate(() => this.#memory.unmap());
  }
}

assert(parentPort !== null, 'runs in a worker thread');
runDeviceThread(parentPort, workerData as ThreadOptions);
