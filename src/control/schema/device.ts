import { z } from 'zod';
import { COUNTER_NAMES } from '../../engine/counters.js';
import { wholeNumber } from './common.js';

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
    heldRequests: wholeNumber,
    requestsWait: z.boolean(),
  })
  .meta({ id: 'GoneDevice' });

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
    breakerOpen: z.string().nullable().describe('why the main device was given up'),
    recognisedBy: z.enum(['serialNumber', 'contents', 'nothing']),
    onGone: z.string(),
    gone: z.array(goneSchema).readonly(),
    connections: wholeNumber.describe('NBD clients'),
    counters: countersSchema,
    health: healthSchema,
  })
  .meta({ id: 'Device' });

export type DeviceResource = z.infer<typeof deviceSchema>;
