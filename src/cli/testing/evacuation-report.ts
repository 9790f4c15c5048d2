import type { Evacuation } from '../follow-evacuation.js';

/** Of a set that has begun to be copied to another disk. */
export function evacuationReport(changes: Partial<Evacuation> = {}): Evacuation {
  return {
    path: '/dev/sdz',
    state: 'copying',
    pass: 'forward',
    copiedBytes: 0,
    everCopiedBytes: 0,
    totalBytes: 100 << 20,
    isWaiting: false,
    isPaused: false,
    beginning: 'start',
    beginningBytes: 0,
    unreadableUnits: 0,
    firstUnreadableSector: null,
    unitsWithLostBlocks: 0,
    problem: null,
    ...changes,
  };
}
