import { unreachable } from '../base/assert.js';
import { errnoName } from '../base/errno.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { EvacuationEvent, EvacuationProgress } from '../device/evacuation-progress.js';
import type { CopyPositionLostEvent } from '../device/position-log.js';
import type { DeviceShape } from '../engine/device-shape.js';
import type { DeviceNotice } from './device-report.js';
import { notice } from './notice.js';

/** What a person reads in the log about a main device that is being copied to another disk. */
export function evacuationNotice(
  event: EvacuationEvent | CopyPositionLostEvent,
  shape: DeviceShape,
): DeviceNotice {
  if (event.kind === 'evacuation') return stateNotice(event.progress, shape);
  const message =
    'how far everything is copied to the other disk could not be recorded on any spare: after a crash it is copied from the start';
  return notice('warn', 'evacuationPositionLost', message, {});
}

function stateNotice(progress: EvacuationProgress, shape: DeviceShape): DeviceNotice {
  const { name, state, totalBytes, unreadableUnits } = progress;
  switch (state) {
    case 'copying':
      return startNotice(progress);
    case 'copied': {
      const message = `${name} holds everything that could be read, and gets what is written; it can take over`;
      return notice('info', 'evacuationCopied', message, { path: name, totalBytes });
    }
    case 'incomplete': {
      const mainSector = firstUnreadableSector(progress, shape);
      const message = `${name} lacks ${unreadableUnits} unit(s), the first from sector ${mainSector}: they can't be read, and no spare took note of that`;
      return notice('error', 'evacuationIncomplete', message, { path: name, unreadableUnits, mainSector });
    }
    case 'failed':
      return notice('error', 'evacuationFailed', failureText(progress), { path: name });
    case 'cancelled':
      return notice('info', 'evacuationCancelled', `${name} is not copied to any more`, { path: name });
    default:
      return unreachable(state);
  }
}

function startNotice({ name, totalBytes, copiedBytes, beginning }: EvacuationProgress): DeviceNotice {
  const about = { path: name, totalBytes, copiedBytes, beginning };
  switch (beginning) {
    case 'start':
      return notice('info', 'evacuationStarted', `copying everything to ${name}`, about);
    case 'position': {
      const message = `copying to ${name} goes on: ${copiedBytes} of ${totalBytes} bytes are there`;
      return notice('info', 'evacuationStarted', message, about);
    }
    case 'differs': {
      const message = `copying everything to ${name} from the start: it does not hold any more what was copied before`;
      return notice('warn', 'evacuationStarted', message, about);
    }
    default:
      return unreachable(beginning);
  }
}

/** Of a replacement that has failed. */
export function failureText({ name, failure }: EvacuationProgress): string {
  if (failure === undefined) return `${name} failed`;
  const { operation, errno, offsetBytes } = failure;
  const where = operation === 'flush' ? '' : ` at sector ${offsetBytes / SECTOR_BYTES}`;
  return `${name} failed (${operation}${where}: ${errnoName(errno)}) and is not copied to any more; the set is as it was`;
}

/** 0 where there is none. */
export function firstUnreadableSector(
  { firstUnreadableUnit = 0 }: EvacuationProgress,
  { unitBytes }: DeviceShape,
): number {
  return (firstUnreadableUnit * unitBytes) / SECTOR_BYTES;
}
