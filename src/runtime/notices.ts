import { unreachable } from '../base/assert.js';
import { errnoName } from '../base/errno.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { DeviceEvent } from '../device/device-event.js';
import type { GonePolicy } from '../device/gone-policy.js';
import { bitCount } from '../engine/bit-count.js';
import type { DeviceShape } from '../engine/device-shape.js';
import type { DeviceNames } from './device-names.js';
import type { DeviceNotice } from './device-report.js';
import { evacuationNotice } from './evacuation-notice.js';
import { goneNoticeOf } from './gone-notices.js';
import { notice } from './notice.js';

/** What a person reads in the log about an event of the device. */
export function noticeOf(
  event: DeviceEvent,
  shape: DeviceShape,
  names: DeviceNames,
  onGone: GonePolicy,
): DeviceNotice {
  const { main } = names;
  const sectorOf = (mainUnit: number): number => (mainUnit * shape.unitBytes) / SECTOR_BYTES;
  switch (event.kind) {
    case 'remapped':
    case 'givenBack':
      return moveNotice(event, shape, main);
    case 'lost': {
      const mainSector = sectorOf(event.mainUnit);
      const lostBlocks = bitCount(event.lostMask);
      const message = `${main}: ${lostBlocks} block(s) of the unit from sector ${mainSector} on can't be read any more; they are lost until they are written ("dmremap lost" lists them)`;
      return notice('error', 'lost', message, { mainSector, lostBlocks });
    }
    case 'regained': {
      const mainSector = sectorOf(event.mainUnit);
      const blocks = bitCount(event.lostMask);
      const message = `${main}: lost blocks from sector ${mainSector} on were written again`;
      return notice('info', 'regained', message, { mainSector, blocks });
    }
    case 'spareUnitRetired': {
      const { spareUnit } = event;
      const spareSector = shape.spareOffsetBytes(spareUnit) / SECTOR_BYTES;
      const spareIndex = shape.spareIndexOf(spareUnit);
      const message = `spare ${spareIndex}: sectors from ${spareSector} can't be written; not used any more`;
      return notice('warn', 'spareUnitRetired', message, {
        spareIndex,
        spareSector,
      });
    }
    case 'spareFailed': {
      const { spareIndex, errno } = event;
      const message = `spare ${spareIndex} fails (${errnoName(errno)}); nothing more is moved to it: replace it soon`;
      return notice('error', 'spareFailed', message, { spareIndex, errno: errnoName(errno) });
    }
    case 'spareExhausted': {
      const mainSector = sectorOf(event.mainUnit);
      const message = `no spare space left for sectors from ${mainSector}: writes to bad sectors fail now; move the data off ${main}`;
      return notice('error', 'spareExhausted', message, { mainSector });
    }
    case 'remapLimitReached': {
      const { maxMovedUnits } = event;
      const mainSector = sectorOf(event.mainUnit);
      const message = `sectors from ${mainSector} are not moved: max_remaps allows ${maxMovedUnits} unit(s), and these are used; writes to bad sectors fail now; allow more with "dmremap set"`;
      return notice('error', 'remapLimitReached', message, { mainSector, maxMovedUnits });
    }
    case 'commitFailed':
      return notice(
        'error',
        'commitFailed',
        `the map could not be made durable (${errnoName(event.errno)}); the write is not acknowledged`,
        { errno: errnoName(event.errno) },
      );
    case 'breakerOpened':
    case 'breakerLetsReadsPass':
    case 'breakerClosed':
    case 'spareGone':
    case 'spareBack':
    case 'holdExpired':
    case 'heldResumed':
    case 'reconnected':
    case 'returnRefused':
      return goneNoticeOf(event, names, onGone);
    case 'transientError': {
      const mainSector = sectorOf(event.mainUnit);
      return notice('info', 'transientError', `${main}: sectors from ${mainSector} were read after a retry`, {
        mainSector,
      });
    }
    case 'flushFailed':
      return notice(
        'error',
        'flushFailed',
        'a flush failed: writes since the last one may not be durable, and clients are told',
        {},
      );
    case 'metadataScrubbed':
      return scrubNotice(event);
    case 'evacuation':
    case 'copyPositionLost':
      return evacuationNotice(event, shape);
    default:
      return unreachable(event);
  }
}

/** A unit has another place. */
function moveNotice(
  event: Extract<DeviceEvent, { kind: 'remapped' | 'givenBack' }>,
  shape: DeviceShape,
  main: string,
): DeviceNotice {
  const mainSector = (event.mainUnit * shape.unitBytes) / SECTOR_BYTES;
  if (event.kind === 'givenBack') {
    const message = `${main}: sectors from ${mainSector} took their data again and live on the main device`;
    return notice('info', 'givenBack', message, { mainSector });
  }
  const { spareUnit, lostMask } = event;
  const spareIndex = shape.spareIndexOf(spareUnit);
  const spareSector = shape.spareOffsetBytes(spareUnit) / SECTOR_BYTES;
  const message = `${main}: sectors from ${mainSector} now live on spare ${spareIndex} at ${spareSector}`;
  const lostBlocks = bitCount(lostMask);
  return notice('info', 'remapped', message, { mainSector, spareIndex, spareSector, lostBlocks });
}

function scrubNotice({
  pageCount,
  repairedBlocks,
}: Extract<DeviceEvent, { kind: 'metadataScrubbed' }>): DeviceNotice {
  const message = `all copies of the metadata were compared: ${repairedBlocks} damaged or stale block(s), written anew where the spare took it`;
  const level = repairedBlocks === 0 ? 'info' : 'warn';
  return notice(level, 'metadataScrubbed', message, { pageCount, repairedBlocks });
}
