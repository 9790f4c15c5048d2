import { z } from 'zod';
import { COUNTER_NAMES } from '../../engine/counters.js';
import { evacuationReportSchema } from './evacuation.js';
import { jobSchema } from './jobs.js';
import { wholeNumber } from './whole-number.js';

/** GET /v1/device: what this process serves, and how it is. */
export const memberSchema = z
  .object({
    path: z.string().describe('as it was opened'),
    sizeBytes: wholeNumber,
    model: z.string().describe('empty where it has none, like serial and wwn'),
    serial: z.string(),
    wwn: z.string(),
  })
  .meta({ id: 'Member' });

export const spareMemberSchema = memberSchema.extend({ uuid: z.string() }).meta({ id: 'Spare' });

export const goneSchema = z
  .object({
    path: z.string(),
    spareIndex: wholeNumber.nullable().describe('null: the main device'),
    reason: z.string(),
    sinceSeconds: z.number(),
    readsPass: z.boolean().describe('the main device takes no writes, and gives what it holds'),
    heldRequests: wholeNumber,
    requestsWait: z.boolean(),
  })
  .meta({ id: 'GoneDevice' });

export const emptyingSchema = z
  .object({
    path: z.string(),
    spareIndex: wholeNumber,
    movedUnits: wholeNumber.describe('since it began'),
    leftUnits: wholeNumber.describe('that live on it still'),
  })
  .meta({ id: 'EmptyingSpare' });

export const takingNoneSchema = z
  .object({
    path: z.string(),
    spareIndex: wholeNumber,
    freeUnits: wholeNumber.describe('that it has, and does not take'),
    refusal: z
      .string()
      .nullable()
      .describe('with which error it refused the last unit that was to be moved there; null: it is full'),
  })
  .meta({ id: 'SpareTakingNone' });

export const findingSchema = z
  .object({
    id: z.string().describe('stable name'),
    state: z.enum(['healthy', 'degraded', 'critical']),
    status: z.string().describe('what it means'),
    action: z.string().describe('what to do'),
  })
  .meta({ id: 'Finding' });

export const healthSchema = z
  .object({ state: z.enum(['healthy', 'degraded', 'critical']), findings: z.array(findingSchema).readonly() })
  .meta({ id: 'Health' });

export const countersSchema = z.record(z.enum(COUNTER_NAMES), wholeNumber).meta({ id: 'Counters' });

export const endpointSchema = z
  .object({
    kind: z.enum(['ublk', 'nbd']),
    address: z.string().describe('the block device, or the NBD URI'),
  })
  .meta({ id: 'Endpoint' });

export const createdAsSchema = z
  .object({
    target: z.enum(['remap', 'dm-remap-v4', 'dm-remap-v4-real', 'dm-remap']),
    spareRange: z
      .object({ startSector: wholeNumber, sectorCount: wholeNumber })
      .nullable()
      .describe('of target remap, as it was given'),
  })
  .meta({ id: 'CreatedAs' });

export const blockDeviceSchema = z
  .object({
    ioCount: wholeNumber.describe('reads and writes since it was added'),
    totalTimeNs: wholeNumber.describe('how long they took together'),
  })
  .meta({ id: 'BlockDevice' });

/** Of the process, or since `clear_stats`. */
export const recentlySchema = z
  .object({
    sinceSeconds: z.number().describe('since 1970'),
    scanCount: wholeNumber.describe('scans asked for by message'),
    counters: countersSchema,
  })
  .meta({ id: 'Recently' });

export const deviceSchema = z
  .object({
    version: z.literal(1),
    setId: z.string(),
    name: z.string(),
    programVersion: z.string(),
    processId: wholeNumber,
    startedSeconds: z.number().describe('since 1970'),
    sizeBytes: wholeNumber,
    logicalBlockBytes: wholeNumber,
    unitBytes: wholeNumber,
    io: z.enum(['uring', 'portable']),
    main: memberSchema,
    spares: z.array(spareMemberSchema).readonly(),
    endpoints: z.array(endpointSchema).readonly(),
    remappedUnits: wholeNumber,
    unitsWithLostBlocks: wholeNumber,
    retiredSpareUnits: wholeNumber,
    freeSpareUnits: wholeNumber,
    usableSpareUnits: wholeNumber,
    remapLimitReached: z
      .boolean()
      .describe('max_remaps alone keeps more units from moving: there would be places'),
    sparesFull: z
      .object({
        pace: z.enum(['hours', 'day', 'week']).describe('it goes by the last two hours, day or week'),
        fullInSeconds: wholeNumber,
      })
      .nullable()
      .describe('when the spares are full if it goes on so; null: too few units moved lately to tell'),
    breakerOpen: z.string().nullable().describe('why the main device was given up'),
    recognisedBy: z.enum(['serialNumber', 'contents', 'nothing']),
    onGone: z.string(),
    gone: z.array(goneSchema).readonly(),
    emptying: z
      .array(emptyingSchema)
      .readonly()
      .describe(
        'spares that are being emptied or are empty: they take no units, and are not part of the spare units',
      ),
    takingNone: z
      .array(takingNoneSchema)
      .readonly()
      .describe(
        'spares that no unit can be moved to, beside those; their free units are none of the spare units',
      ),
    connections: wholeNumber.describe('NBD clients'),
    suspended: z.boolean().describe('new requests wait, until somebody resumes it'),
    evacuation: evacuationReportSchema.nullable().describe('null: nothing was copied since it was opened'),
    jobs: z.array(jobSchema).readonly().describe('long work: under way, at rest, or ended in this process'),
    counters: countersSchema,
    health: healthSchema,
    blockDevice: blockDeviceSchema.nullable().describe('as the kernel measures it; null without one'),
    createdAs: createdAsSchema
      .nullable()
      .describe('the table of "dmremap create"; null: served by "dmremap run"'),
    recently: recentlySchema,
  })
  .meta({ id: 'Device' });

export type CreatedAs = z.infer<typeof createdAsSchema>;
export type DeviceResource = z.infer<typeof deviceSchema>;
