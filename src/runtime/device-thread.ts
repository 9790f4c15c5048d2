import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { assert } from '../base/assert.js';
import { errnoName } from '../base/errno.js';
import { ok, type Result } from '../base/result.js';
import type { MappedMemory } from '../kernel/aligned-memory.js';
import type { FaultScenario } from '../storage/fault-rule.js';
import type { Backend } from './backend.js';
import { chooseBackend } from './backend.js';
import { CallServer, type ThreadEnd } from './call-server.js';
import type { DeviceNotice } from './device-report.js';
import type { Failure } from './failure.js';
import { Mailbox } from './mailbox.js';
import type { ThreadOptions } from './messages.js';
import { notice } from './notice.js';
import { mapDeviceMemory, startDevice } from './start-device.js';

/**
 * The thread of one protected device: opens it, serves it and the calls of the main thread, and ends after `close`, or,
 * where that leaves a block device to another process, with its own process.
 * With io_uring it sits in the kernel between turns and its event loop stands still; see `Mailbox`.
 */
function runDeviceThread(port: MessagePort, options: ThreadOptions, scenario: FaultScenario): void {
  const backend = chooseBackend(options.io, options.wakeUpFd);
  if (!backend.ok) return port.postMessage({ kind: 'openFailed', failure: backend.error });
  const mailbox = new Mailbox(port, backend.value);
  const { memory, problem } = mapDeviceMemory(options.ublkMemoryBytes);
  const turning = new Turning(backend.value, mailbox, memory);
  const { kind, why } = backend.value;
  const how = kind === 'uring' ? 'io_uring' : 'plain file calls';
  mailbox.tell(notice('info', 'backendChosen', `I/O by ${how}: ${why}`, { io: kind }));
  if (problem < 0) mailbox.tell(notLocked(problem));
  startDevice({ ...options, scenario }, backend.value, memory, mailbox, (started) => {
    if (!started.ok) {
      mailbox.post({ kind: 'openFailed', failure: started.error });
      return turning.end('idle');
    }
    const calls = new CallServer(started.value, mailbox, (how) => turning.end(how));
    mailbox.post({ kind: 'opened', info: started.value.info });
    mailbox.listen((message) => calls.handle(message));
  });
  turning.run();
}

function notLocked(problem: number): DeviceNotice {
  const message = `memory pressure may stall the device: mlock2: ${errnoName(-problem)}`;
  return notice('warn', 'unguarded', message, { errno: errnoName(-problem) });
}

async function scenarioOf({ faults }: ThreadOptions): Promise<Result<FaultScenario, Failure>> {
  if (faults === undefined) return ok({ main: [], spares: [] });
  return (await import('./read-fault-scenario.js')).readFaultScenario(faults);
}

/** The loop of the thread, and its end. */
class Turning {
  readonly #backend: Backend;
  readonly #mailbox: Mailbox;
  /** Given back at an end in order. */
  readonly #memory: MappedMemory;
  #end: ThreadEnd | undefined;

  constructor(backend: Backend, mailbox: Mailbox, memory: MappedMemory) {
    this.#backend = backend;
    this.#mailbox = mailbox;
    this.#memory = memory;
  }

  /** Returns when `end` was called; on Node's event loop at once, and the thread ends when nothing is left to do. */
  run(): void {
    const backend = this.#backend;
    if (backend.kind === 'portable') return;
    if (this.#end === undefined) backend.reactor.run();
    if (this.#isEnd('leavesTags')) backend.reactor.serveRing();
    if (!this.#isEnd('idle')) return;
    backend.reactor.close();
    this.#memory.unmap();
  }

  end(how: ThreadEnd): void {
    this.#end = how;
    const backend = this.#backend;
    // The main thread has still to end what goes on.
    if (how !== 'leavesTags') this.#mailbox.close();
    if (backend.kind === 'uring') return backend.reactor.stop();
    backend.reactor.close();
    // Later: this may be called from the completion of the last I/O.
    if (how === 'idle') setImmediate(() => this.#memory.unmap());
  }

  #isEnd(how: ThreadEnd): boolean {
    return this.#end === how;
  }
}

assert(parentPort !== null, 'runs in a worker thread');
const options = workerData as ThreadOptions;
const scenario = await scenarioOf(options);
if (scenario.ok) runDeviceThread(parentPort, options, scenario.value);
else parentPort.postMessage({ kind: 'openFailed', failure: scenario.error });
