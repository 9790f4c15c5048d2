import { unreachable } from '../base/assert.js';
import type { GoneDevice } from '../device/gone-devices.js';
import { markClosed } from '../device/mark-closed.js';
import type { QueueLink } from '../device/queue-link.js';
import { countersByName } from '../engine/counters.js';
import { close as closeFd } from '../kernel/ffi.js';
import { formatSettingValue } from '../settings/setting-kind.js';
import { settingOf } from '../settings/setting-table.js';
import { consolidate } from './consolidate.js';
import { pathOfTarget } from './device-names.js';
import type { DeviceStatus, GoneReport } from './device-report.js';
import { emptySpare, keepSpare } from './empty-spare.js';
import { EvacuationCalls } from './evacuation-calls.js';
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
import { spareUse } from './spare-use.js';
import { roomOn } from './spare-watch.js';
import { sparesTakingNone } from './spares-taking-none.js';
import type { StartedDevice } from './start-device.js';
import { UblkQueueServer } from './ublk-queue-server.js';

/** Does what the main thread calls for, on the device thread. */
export class CallServer {
  readonly #started: StartedDevice;
  readonly #mailbox: Mailbox;
  readonly #ended: (how: ThreadEnd) => void;
  readonly #io: IoCalls;
  readonly #endpoints: NbdEndpoints;
  readonly #evacuation: EvacuationCalls;
  /** Only with io_uring. */
  readonly #ublk: UblkQueueServer | undefined;
  /** Served by other threads. */
  readonly #queues = new Map<number, QueueLink>();
  #nextQueueId = 1;
  #isClosing = false;

  constructor(started: StartedDevice, mailbox: Mailbox, ended: (how: ThreadEnd) => void) {
    this.#started = started;
    this.#mailbox = mailbox;
    this.#ended = ended;
    this.#io = new IoCalls(started);
    this.#evacuation = new EvacuationCalls(started);
    this.#endpoints = new NbdEndpoints(started, (notice) => mailbox.tell(notice));
    const { backend, device, memory } = started;
    if (backend.kind === 'uring')
      this.#ublk = new UblkQueueServer({ reactor: backend.reactor, device, memoryAddress: memory.address });
  }

  handle({ id, call }: CallMessage): void {
    if (call.verb === 'abandon') return this.#ended('abandoned');
    if (this.#isClosing && call.verb === 'adopt') closeFd(call.fd);
    if (this.#isClosing) return this.#refuse(id, failure('system', 'the device is being closed'));
    this.#perform(call, (problem, value) => {
      if (problem === undefined) this.#answer(id, value);
      else this.#refuse(id, problem);
      if (call.verb === 'close') this.#ended((this.#ublk?.isOver ?? true) ? 'idle' : 'leavesTags');
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
      case 'remapAt':
      case 'spareUse':
        return done(undefined, this.#lookUp(call));
      case 'moveByHand':
      case 'giveBack':
      case 'emptySpare':
      case 'keepSpare':
      case 'consolidate':
      case 'endHandWork':
        return this.#moveUnits(call, done);
      case 'evacuate':
      case 'evacuation':
      case 'pauseEvacuation':
      case 'resumeEvacuation':
      case 'acceptEvacuationLoss':
      case 'cancelEvacuation':
        return this.#evacuation.perform(call, done);
      case 'scrubMetadata':
        return this.#started.device.scrubMetadata((report) => done(undefined, report));
      case 'settings':
        return done(undefined, this.#started.settings.report());
      case 'changeSettings':
        return this.#started.settings.change(call.changes, (problem, changed) => {
          this.#started.spareWatch.check();
          done(problem, changed);
        });
      case 'suspend':
        return this.#suspend(call.flush, done);
      case 'resume':
        return done(undefined, this.#started.device.suspension.end());
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
        return this.#removeQueue(call.queueId, done);
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
        return this.#beginClose(done);
      default:
        return unreachable(call);
    }
  }

  #lookUp(call: Extract<Call, { verb: 'remaps' | 'remapAt' | 'spareUse' }>): CallValue {
    const { device } = this.#started;
    switch (call.verb) {
      case 'remaps':
        return listRemaps(device, call.firstSpareUnit, call.limit, call.onlyLost);
      case 'remapAt':
        return remapAt(device, call.mainSector);
      case 'spareUse':
        return spareUse(device);
      default:
        return unreachable(call);
    }
  }

  #moveUnits(call: Extract<Call, { verb: MovingVerb }>, done: CallDone): void {
    const { device } = this.#started;
    switch (call.verb) {
      case 'moveByHand':
        if (device.suspension.isOn) return done(SUSPENDED, undefined);
        return moveByHand(device, call.range, call.place, done);
      case 'giveBack':
        if (device.suspension.isOn) return done(SUSPENDED, undefined);
        return giveBack(device, call.range, done);
      case 'emptySpare':
        return emptySpare(device, call, done);
      case 'consolidate':
        if (device.suspension.isOn) return done(SUSPENDED, undefined);
        return consolidate(device, call, done);
      case 'keepSpare':
        keepSpare(device, call.spareIndex);
        return done(undefined, undefined);
      case 'endHandWork':
        device.byHand.end();
        return done(undefined, undefined);
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

  #removeQueue(queueId: number, done: CallDone): void {
    this.#started.device.removeQueue(this.#queues.get(queueId)!);
    this.#queues.delete(queueId);
    done(undefined, undefined);
  }

  #suspend(flush: boolean, done: CallDone): void {
    const { suspension } = this.#started.device;
    const isChange = !suspension.isOn;
    suspension.begin((isSuspended) => {
      if (!isSuspended) return done(RESUMED_MEANWHILE, undefined);
      if (!flush) return done(undefined, isChange);
      this.#io.flush((problem) => {
        // Who is told that it failed would not think of resuming.
        if (problem !== undefined && isChange) suspension.end();
        done(problem, isChange);
      });
    });
  }

  #status(): DeviceStatus {
    const { context, goneDevices } = this.#started.device;
    const { values } = this.#started.settings;
    const { freeUnits, usableUnits, isAtLimit } = roomOn(this.#started.device);
    const { mainSizeBytes, unitBytes } = context.shape;
    return {
      remappedUnits: context.table.mappedCount,
      unitsWithLostBlocks: context.table.unitsWithLossCount,
      retiredSpareUnits: context.table.retiredCount,
      freeSpareUnits: freeUnits,
      usableSpareUnits: usableUnits,
      remapLimitReached: isAtLimit,
      sparesFull: this.#started.spareWatch.forecast ?? null,
      mainUnits: Math.ceil(mainSizeBytes / unitBytes),
      settings: values,
      breakerOpen: context.breaker.reason ?? null,
      recognisedBy: this.#started.device.recognisedBy,
      onGone: String(formatSettingValue(settingOf('on_gone').kind, values.on_gone)),
      gone: goneDevices.map((gone) => this.#report(gone)),
      emptying: [...context.suspension.leaving].map(([spareIndex, progress]) => ({
        ...progress,
        spareIndex,
        path: pathOfTarget(this.#started.names, 1 + spareIndex),
      })),
      takingNone: sparesTakingNone(context).map((spare) => ({
        ...spare,
        path: pathOfTarget(this.#started.names, 1 + spare.spareIndex),
      })),
      connections: this.#endpoints.connectionCount,
      suspended: this.#started.device.suspension.isOn,
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

  #beginClose(done: CallDone): void {
    this.#isClosing = true;
    this.#started.device.endHolding();
    this.#endpoints.stop(() => this.#whenIdle(() => this.#close(done)));
  }

  /** A replacement of the main device is made durable first: no write can come any more. */
  #close(done: CallDone): void {
    const { device } = this.#started;
    device.metadata.run(
      () => device.replacement.seal(),
      (isSealed) => this.#closeSet(isSealed, done),
    );
  }

  #closeSet(isSealed: boolean, done: CallDone): void {
    this.#started.device.metadata.run(markClosed, (result) => {
      for (const store of this.#started.stores) store.close();
      const problem = failure(
        'io',
        'stopped, but not cleanly: the last flush failed; the next start recovers as after a crash',
      );
      const { flushFailureCount } = this.#started.device;
      done(undefined, { problem: result === 0 ? undefined : problem, flushFailureCount, isSealed });
    });
  }

  #answer(id: number, value: CallValue): void {
    this.#mailbox.post({ kind: 'answer', id, value });
  }

  #refuse(id: number, problem: Failure): void {
    this.#mailbox.post({ kind: 'refusal', id, failure: problem });
  }
}

/**
 * `idle`: no I/O is in flight, so the ring can be given back. `leavesTags`: the set is closed; tags that the driver still
 * waits for keep the ring busy until the process ends. `abandoned`: the process ends.
 */
export type ThreadEnd = 'idle' | 'leavesTags' | 'abandoned';

/** `problem` is undefined on success. */
export type CallDone = (problem: Failure | undefined, value: CallValue) => void;

type MovingVerb = 'moveByHand' | 'giveBack' | 'emptySpare' | 'keepSpare' | 'consolidate' | 'endHandWork';

/** It would wait until somebody resumes it. */
const SUSPENDED = failure('refused', 'the device is suspended; resume it first');
const RESUMED_MEANWHILE = failure('refused', 'it was resumed before requests in flight had ended');

const UBLK_NEEDS_URING = failure('system', 'a ublk device needs io_uring; allow it, or serve with --nbd');

const IDLE_CHECK_MS = 5;
