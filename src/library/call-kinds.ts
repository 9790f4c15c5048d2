import {
  BYTES,
  FLAG,
  type Kind,
  listOf,
  NUMBER,
  NUMBER_OR_NULL,
  optional,
  TEXT,
  WHOLE,
} from './given-types.js';

/** Of the options of `openDevice` what its thread gets as it is given; the rest is understood before that. */
export const OPEN_KINDS = {
  main: TEXT,
  spares: listOf(TEXT),
  io: optional({ expected: 'uring or portable', fits: (value) => value === 'uring' || value === 'portable' }),
  faults: optional(TEXT),
  force: optional(FLAG),
  leavingSpares: optional(listOf(TEXT)),
  archive: optional(TEXT),
};

const RANGE = { firstSector: WHOLE, sectorCount: WHOLE };

/** By method of an open device, what its arguments have to be. */
export const CALL_KINDS = {
  read: { offsetBytes: NUMBER, lengthBytes: NUMBER },
  write: { offsetBytes: NUMBER, data: BYTES, durable: FLAG },
  remaps: { firstSpareUnit: WHOLE, limit: WHOLE, onlyLost: FLAG },
  remapAt: { mainSector: WHOLE },
  moveByHand: RANGE,
  place: { spareIndex: WHOLE, spareSector: WHOLE },
  giveBack: RANGE,
  emptySpare: {
    spareIndex: WHOLE,
    limit: WHOLE,
    acceptsLoss: FLAG,
    toSpareIndex: optional(WHOLE),
    exceptSectors: optional(listOf(WHOLE)),
  },
  keepSpare: { spareIndex: WHOLE },
  consolidate: { limit: WHOLE, exceptSectors: optional(listOf(WHOLE)) },
  evacuate: { path: TEXT, copyId: BYTES },
  suspend: { flush: FLAG },
  serveNbd: { uri: TEXT },
};

/** Of settings that are changed, whatever their names: those that are none have no effect. */
export function settingKinds(changes: object): Readonly<Record<string, Kind>> {
  return Object.fromEntries(Object.keys(changes ?? {}).map((key) => [key, NUMBER_OR_NULL]));
}
