import { z } from 'zod';

/** What outlives a process of its jobs: what is wanted, not how far it is, which the disks say themselves. */
export const rememberedJobsSchema = z.object({
  version: z.literal(1),
  /** Of several files the later one counts. */
  writtenMs: z.number(),
  emptying: z.array(
    z.object({
      spareUuid: z.string(),
      acceptsLoss: z.boolean(),
      /** Null: to the others as the allocation policy says. */
      toSpareUuid: z.string().nullable(),
      isPaused: z.boolean(),
    }),
  ),
  consolidation: z.object({ isPaused: z.boolean() }).nullable(),
  evacuation: z
    .object({
      /** Absolute path. */
      device: z.string(),
      /** Of `identifyDisk`. */
      identity: z.string(),
      /** What `evacuate` of the library takes; null: what is recorded of it counts no more. */
      copyId: z.uuid().nullable().default(null),
      /** Of the kernel, when it was begun. */
      bootId: z.string(),
      isPaused: z.boolean(),
      /** The process was stopped in order: the disk may have been put to another use. */
      isStopped: z.boolean(),
    })
    .nullable(),
});

export type RememberedJobs = Omit<z.infer<typeof rememberedJobsSchema>, 'version' | 'writtenMs'>;
export type RememberedEmptying = RememberedJobs['emptying'][number];
export type RememberedEvacuation = NonNullable<RememberedJobs['evacuation']>;

export const NO_JOBS: RememberedJobs = { emptying: [], consolidation: null, evacuation: null };

export function areNone({ emptying, consolidation, evacuation }: RememberedJobs): boolean {
  return emptying.length === 0 && consolidation === null && evacuation === null;
}
