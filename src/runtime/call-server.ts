import { unreachable } from '../base/assert.js';
import type { GoneDevice } from '../device/gone-devices.js';
import { formatGonePolicy } from '../device/gone-policy.js';
import { markClosed } from '../device/mark-closed.js';
import type { QueueLink } from '../device/queue-link.js';
import { countersByName } from '../engine/counters.js';
import { usableUnitCount } from '../format/reserved-units.js';
import { close as closeFd } from '../kernel/ffi.js';
import { pathOfTarget } from './device-names.js';
import type { DeviceStatus, GoneReport } from './device-report.js';
import type { Failure } from './failure.js';
import { failure } from './failure.js';
import { giveBack, moveByHand } from './hand-calls.js';
import { IoCalls } from './io-calls.js';
import { listRemaps, remapAt } from './list-remaps.js';
import type { Mailbox } from './mailbox.js';
import { watchMap } from './map-changes.js';
import type { Call, CallMessage, CallValue } from './messages.js';
import { NbdEndpoints } from './nbd-endpoints.js';
import { addQueue } from './queue-share.js';
import type { StartedDevice } from './start-device.js';
import { UblkQueueServer } from './ublk-queue-server.js';

/** Does what the main thread calls for, on the device thread. */
export class CallServer {
  readonly #started: StartedDevice;
  readonly #mailbox: Mailbox;
  readonly #ended: (inOrder: boolean) => void;
  readonly #io: IoCalls;
  readonly #endpoints: NbdEndpoints;
  /** Only with io_uring. */
  readonly #ublk: UblkQueueServer | undefined;
  /** Served by other threads. */
  readonly #queues = new Map<number, QueueLink>();
  #nextQueueId = 1;
  #isClosing = false;

  constructor(started: StartedDevice, mailbox: Mailbox, ended: (inOrder: boolean) => void) {
    this.#started = started;
    this.#mailbox = mailbox;
    this.#ended = ended;
    this.#io = new IoCalls(started);
    this.#endpoints = new NbdEndpoints(started, (notice) => mailbox.tell(notice));
    const { backend, device, memory } = started;
    if (backend.kind === 'uring')
      this.#ublk = new UblkQueueServer({ reactor: backend.reactor, device, memoryAddress: memory.address });
  }

  handle({ id, call }: CallMessage): void {
    if (call.verb === 'abandon') return this.#ended(false);
    if (this.#isClosing && call.verb === 'adopt') closeFd(call.fd);
    if (this.#isClosing) return this.#refuse(id, failure('system', 'the device is being closed'));
    this.#perform(call, (problem, value) => {
      if (problem === undefined) this.#answer(id, value);
      else this.#refuse(id, problem);
      // Tags that the driver still waits for keep the ring busy until the process ends.
      if (call.verb === 'close') this.#ended(this.#ublk?.isOver ?? true);
    });
  }

  #perform(call: Exclude<Call, { verb: 'abandon' }>, done: CallDone): void {
    switch (call.verb) {
      case 'read':
        return this.#io.read(call.offsetBytes, call.lengthBytes, done);
      case 'write':
        return this.#io.write(call.offsetBytes, call.data, call.durable, (problem) =>
          done(problem, undefined),
        );
      case 'flush':
        return this.#io.flush((problem) => done(problem, undefined));
      case 'status':
        return done(undefined, this.#status());
      case 'remaps':
        return done(
          undefined,
          listRemaps(this.#started.device, call.firstSpareUnit, call.limit, call.onlyLost),
        );
      case 'remapAt':
        return done(undefined, remapAt(this.#started.device, call.mainSector));
      case 'moveByHand':
        return moveByHand(this.#started.device, call.range, call.place, done);
      case 'giveBack':
        return giveBack(this.#started.device, call.range, done);
      case 'scrubMetadata':
        return this.#started.device.scrubMetadata((report) => done(undefined, report));
      case 'watchMap':
        return done(undefined, watchMap(this.#started, this.#mailbox));
      case 'listen':
        return this.#endpoints.listen(call.address, call.exportName, done);
      case 'unlisten':
        return this.#endpoints.unlisten(call.listenerId, () => done(undefined, undefined));
      case 'adopt':
        return done(this.#endpoints.adopt(call.fd, call.exportName), undefined);
      case 'addQueue':
        return this.#addQueue(call.wakeUpFd, done);
      case 'removeQueue':
        this.#started.device.removeQueue(this.#queues.get(call.queueId)!);
        this.#queues.delete(call.queueId);
        return done(undefined, undefined);
      case 'ublkServe':
        return done(this.#ublk === undefined ? UBLK_NEEDS_URING : this.#ublk.start(call.job), undefined);
      case 'ublkEnded':
        return this.#ublk!.whenEnded(() => done(undefined, undefined));
      case 'ublkRelease':
        return this.#ublk!.release(() => done(undefined, undefined));
      case 'endHolding':
        this.#started.device.endHolding();
        return done(undefined, undefined);
      case 'close':
        this.#isClosing = true;
        this.#started.device.endHolding();
        return this.#endpoints.stop(() => this.#whenIdle(() => this.#close(done)));
      default:
        return unreachable(call);
    }
  }

  #addQueue(wakeUpFd: number, done: CallDone): void {
    const added = addQueue(this.#started, wakeUpFd);
    if (!added.ok) return done(added.error, undefined);
    const queueId = this.#nextQueueId++;
    this.#queues.set(queueId, added.value.link);
    done(undefined, { queueId, share: added.value.share });
  }

  #status(): DeviceStatus {
    const { context, metadata, goneDevices, onGone } = this.#started.device;
    return {
      remappedUnits: context.table.mappedCount,
      unitsWithLostBlocks: context.table.unitsWithLossCount,
      retiredSpareUnits: context.table.retiredCount,
      freeSpareUnits: context.allocator.freeCount,
      usableSpareUnits: usableUnitCount(metadata.superblock),
      breakerOpen: context.breaker.reason ?? null,
      recognisedBy: this.#started.device.recognisedBy,
      onGone: formatGonePolicy(onGone),
      gone: goneDevices.map((gone) => this.#report(gone)),
      connections: this.#endpoints.connectionCount,
      counters: countersByName(context.totalCounters()),
    };
  }

  #report({ target, ...gone }: GoneDevice): GoneReport {
    const spareIndex = target === 0 ? null : target - 1;
    return { ...gone, spareIndex, path: pathOfTarget(this.#started.names, target) };
  }

  /** The last requests and the relocations behind them are finished first. */
  #whenIdle(task: () => void): void {
    if (this.#io.isIdle && this.#started.device.isIdle) return task();
    this.#started.backend.reactor.after(IDLE_CHECK_MS, () => this.#whenIdle(task));
  }

  #close(done: CallDone): void {
    this.#started.device.metadata.run(markClosed, (result) => {
      for (const store of this.#started.stores) store.close();
      const problem = failure(
        'io',
        'stopped, but not cleanly: the last flush failed; the next start recovers as after a crash',
      );
      done(result === 0 ? undefined : problem, undefined);
    });
  }

  #answer(id: number, value: CallValue): void {
    this.#mailbox.post({ kind: 'answer', id, value });
  }

  #refuse(id: number, problem: Failure): void {
    this.#mailbox.post({ kind: 'refusal', id, failure: problem });
  }
}

/** `problem` is undefined on success. */
export type CallDone = (problem: Failure | undefined, value: CallValue) => void;

const UBLK_NEEDS_URING = failure('system', 'a ublk device needs io_uring; allow it, or serve with --nbd');

const IDLE_CHECK_MS = 5;
