import type { ProtectedDevice } from '../../library/device-types.js';
import { ConsolidationWork } from './consolidation-work.js';
import { EmptyingWork, type WantedEmptying } from './emptying-work.js';
import type { KnownJob } from './known-job.js';
import { UnitJob } from './unit-job.js';
import type { UnitWork } from './unit-work.js';

/** Nothing is placed on the spare from now on; its units rest until the job is resumed. Rejects with `DmRemapError`. */
export function openEmptying({ info, ...parts }: JobSurroundings, wanted: WantedEmptying): Promise<KnownJob> {
  const { spareIndex } = wanted;
  const { uuid = '', path = null } = info.spares[spareIndex] ?? {};
  const about = { id: `empty-${uuid.slice(0, ID_DIGITS)}`, kind: 'emptySpare', path, spareIndex } as const;
  return open({ ...about, unit: 'units', wanted }, new EmptyingWork(parts.device, wanted), parts);
}

export function openConsolidation(parts: JobSurroundings): Promise<KnownJob> {
  const about = { id: CONSOLIDATION_ID, kind: 'consolidate', path: null, spareIndex: null } as const;
  return open({ ...about, unit: 'runs', wanted: undefined }, new ConsolidationWork(parts.device), parts);
}

export const CONSOLIDATION_ID = 'consolidate';

async function open(
  about: Omit<KnownJob, 'job'>,
  work: UnitWork,
  { device, nowMs, ended }: Omit<JobSurroundings, 'info'>,
): Promise<KnownJob> {
  const job = await UnitJob.create({
    work,
    nowMs,
    isAway: () => isAway(device),
    awayPauseMs: AWAY_PAUSE_MS,
    ended: () => ended(about.id),
  });
  return { ...about, job };
}

export interface JobSurroundings {
  readonly device: Pick<ProtectedDevice, 'status' | 'emptySpare' | 'consolidate'>;
  readonly info: ProtectedDevice['info'];
  readonly nowMs: () => number;
  readonly ended: (id: string) => void;
}

async function isAway(device: Pick<ProtectedDevice, 'status'>): Promise<boolean> {
  const { suspended, gone } = await device.status();
  return suspended || gone.some(({ spareIndex }) => spareIndex !== null);
}

/** Of a UUID: enough to tell eight spares apart. */
const ID_DIGITS = 8;
const AWAY_PAUSE_MS = 500;
