import type { JobReport } from '../../control/schema/jobs.js';

/** Work on units that is done in parts, so that it can rest between them, and I/O goes on. */
export interface UnitWork {
  /** So many units at most; 0: only looks how much there is. Rejects with `DmRemapError`. */
  part(limit: number): Promise<WorkPart>;
}

export interface WorkPart {
  readonly movedCount: number;
  readonly refusals: JobReport['refusals'];
  readonly done: number;
  readonly total: number;
  /** `stuck`: what is left can't be done, for that reason. */
  readonly next: 'more' | 'over' | { readonly stuck: string };
}
