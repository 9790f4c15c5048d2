import { unreachable } from '../base/assert.js';
import type { DeviceEvent } from '../device/device-event.js';
import type { GonePolicy } from '../device/gone-policy.js';
import type { ReturnRefusal } from '../device/return-candidate.js';
import { type DeviceNames, nameOfTarget } from './device-names.js';
import type { DeviceNotice } from './device-report.js';
import { notice } from './notice.js';

/** What a person reads about a device that is gone, waited for, and back. */
export function goneNoticeOf(event: GoneEvent, names: DeviceNames, policy: GonePolicy): DeviceNotice {
  switch (event.kind) {
    case 'breakerOpened': {
      const { reason, readsPass } = event;
      const message = readsPass
        ? `${names.main} takes no writes: ${reason}; it can still be read; writes to it ${whatWritesDo(policy)}, no spares are used for them; move to another disk with "dmremap evacuate"`
        : `${names.main} is given up for now: ${reason}; ${whatRequestsDo(policy)}, no spares are used`;
      return notice('error', 'breakerOpened', message, { reason, readsPass });
    }
    case 'breakerLetsReadsPass': {
      const message = `${names.main} can be read again, and takes no writes; move to another disk with "dmremap evacuate"`;
      return notice('warn', 'breakerLetsReadsPass', message, {});
    }
    case 'breakerClosed':
      return notice('warn', 'breakerClosed', `${names.main} answers again; I/O goes on`, {});
    case 'spareGone': {
      const name = nameOfTarget(names, 1 + event.spareIndex);
      const message = `${name} is gone: it answers nowhere any more; of requests that need it: ${whatRequestsDo(policy)}`;
      return notice('error', 'spareGone', message, { spareIndex: event.spareIndex });
    }
    case 'spareBack': {
      const name = nameOfTarget(names, 1 + event.spareIndex);
      return notice('warn', 'spareBack', `${name} answers again`, { spareIndex: event.spareIndex });
    }
    case 'holdExpired': {
      const name = nameOfTarget(names, event.target);
      const { failedRequests } = event;
      const message = `${name} is still gone: ${failedRequests} request(s) that waited for it failed, and new ones fail at once`;
      return notice('error', 'holdExpired', message, { device: name, failedRequests });
    }
    case 'heldResumed': {
      const name = nameOfTarget(names, event.target);
      const { requestCount } = event;
      const message = `${name}: ${requestCount} request(s) that waited for it go on`;
      return notice('info', 'heldResumed', message, { device: name, requestCount });
    }
    case 'reconnected': {
      const device = nameOfTarget(names, event.target);
      const { name: path, mayHaveLost } = event;
      const consequence = mayHaveLost
        ? 'writes that were not flushed may be lost, which clients are told at their next flush'
        : 'nothing that was written can have been lost';
      const message = `${device} is back as ${path}; ${consequence}`;
      return notice('warn', 'reconnected', message, { device, path, mayHaveLost });
    }
    case 'returnRefused': {
      const device = nameOfTarget(names, event.target);
      const { name: path, refusal } = event;
      const message = `${device} is gone, and ${path} is not taken for it: ${explainRefusal(refusal)}`;
      return notice('error', 'returnRefused', message, { device, path, refusal: refusal.kind });
    }
    default:
      return unreachable(event);
  }
}

export type GoneEvent = Extract<
  DeviceEvent,
  {
    kind:
      | 'breakerOpened'
      | 'breakerLetsReadsPass'
      | 'breakerClosed'
      | 'spareGone'
      | 'spareBack'
      | 'holdExpired'
      | 'heldResumed'
      | 'reconnected'
      | 'returnRefused';
  }
>;

function whatWritesDo({ holdMs }: GonePolicy): string {
  if (holdMs === 0) return 'fail';
  if (holdMs === Number.POSITIVE_INFINITY) return 'wait until it takes them';
  return `wait for ${holdMs / 1000} s and fail then`;
}

function whatRequestsDo({ holdMs }: GonePolicy): string {
  if (holdMs === 0) return 'its I/O fails';
  if (holdMs === Number.POSITIVE_INFINITY) return 'its I/O waits until it is back';
  return `its I/O waits for ${holdMs / 1000} s`;
}

function explainRefusal(refusal: ReturnRefusal): string {
  switch (refusal.kind) {
    case 'contentDiffers':
      return `${refusal.differingCount} block(s) that were not written hold something else; attach the right device, or stop and start with it if you are sure`;
    case 'unrecognised':
      return 'it has no serial number, and too little of its contents is known; if it is the right one, stop and start again with it';
    case 'otherSpare':
      return 'it is not this spare of this set; attach the right device';
    case 'staleSpare':
      return 'it holds an older state of this spare, a copy perhaps; attach the right device';
    case 'usedElsewhere':
      return 'its metadata was written by somebody else meanwhile; stop, and look at it with "dmremap inspect"';
    case 'unusable':
      return refusal.reason;
    default:
      return unreachable(refusal);
  }
}
