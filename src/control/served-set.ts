import type { ProtectedDevice } from '../library/device-types.js';
import type { EventHistory } from './event-history.js';

/** What the control socket speaks of: one set at work in this process. */
export interface ServedSet {
  readonly device: Pick<
    ProtectedDevice,
    'info' | 'status' | 'remaps' | 'remapAt' | 'moveByHand' | 'giveBack' | 'scrubMetadata' | 'ublk'
  >;
  readonly events: EventHistory;
  /** NBD URIs that clients can connect to now. */
  readonly nbdUris: () => readonly string[];
  readonly programVersion: string;
  /** Seconds since 1970. */
  readonly startedSeconds: number;
}
