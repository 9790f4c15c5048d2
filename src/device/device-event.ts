import type { EngineEvent } from '../engine/cold-context.js';
import type { EvacuationEvent } from './evacuation-progress.js';
import type { CopyPositionLostEvent } from './position-log.js';
import type { ReturnRefusal } from './return-candidate.js';

/** What a device has to say to a person. `target`: 0 is the main device, 1 + n spare n. */
export type DeviceEvent =
  | EngineEvent
  | EvacuationEvent
  | CopyPositionLostEvent
  | { readonly kind: 'flushFailed' }
  /** All copies of the metadata were read and compared. `repairedBlocks`: damaged or stale, and written anew. */
  | { readonly kind: 'metadataScrubbed'; readonly pageCount: number; readonly repairedBlocks: number }
  | { readonly kind: 'spareBack'; readonly spareIndex: number }
  /** A device has been gone for longer than requests wait. */
  | { readonly kind: 'holdExpired'; readonly target: number; readonly failedRequests: number }
  /** Requests that waited for a device go on. */
  | { readonly kind: 'heldResumed'; readonly target: number; readonly requestCount: number }
  /** A device was taken back. `mayHaveLost`: acknowledged writes that no flush had covered. */
  | {
      readonly kind: 'reconnected';
      readonly target: number;
      readonly name: string;
      readonly mayHaveLost: boolean;
    }
  /** Something is there that could be the device, and is not taken. */
  | {
      readonly kind: 'returnRefused';
      readonly target: number;
      readonly name: string;
      readonly refusal: ReturnRefusal;
    };
