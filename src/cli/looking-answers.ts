import { z } from 'zod';
import { countersSchema, findingSchema } from '../control/schema/device.js';
import { remapSchema } from '../control/schema/remaps.js';
import { settingSchema } from '../control/schema/settings.js';

/** What commands answer with `--json` that look at devices and write nothing. */

const count = z.int().nonnegative();
const version = z.literal(1);
const setId = z.string().describe('UUID of the set');
const name = z.string().describe('of the set; empty where it has none');
const path = z.string().nullable();
const seconds = z.number().describe('since 1970');
const identity = { model: z.string(), serial: z.string(), wwn: z.string() };
const problemOf = z.object({ path: z.string(), reason: z.string() });

export const inspectAnswer = z.object({
  version,
  state: z.enum(['healthy', 'degraded', 'critical']),
  findings: z.array(findingSchema).readonly(),
  setId,
  name,
  formatVersion: count,
  sequence: count,
  generation: count,
  cleanShutdown: z.boolean(),
  openCount: count,
  createdSeconds: seconds,
  updatedSeconds: seconds,
  unitBytes: count,
  logicalBlockBytes: count,
  main: z.object({ sizeBytes: count, ...identity }).describe('as it is recorded'),
  spares: z
    .array(
      z.object({
        index: count,
        path: path.describe('null: listed in the metadata, not given'),
        uuid: z.string(),
        sizeBytes: count,
        initialisedPages: count,
        isStale: z.boolean().describe('older than its partners: it failed, was left out, or is an old copy'),
      }),
    )
    .readonly(),
  copies: z
    .array(
      z.object({
        index: count,
        spareIndex: count,
        offsetBytes: count,
        superblock: z.string().describe('good, stale, damaged, unreadable, missing and others'),
        goodPages: count,
        badPages: count.describe('written anew at the next start'),
      }),
    )
    .readonly(),
  outOfReachPages: count.describe('of the map, that only a missing spare has'),
  maybeOutdatedPages: count.describe('of the map, whose newest version may be lost'),
  usableSpareUnits: count,
  freeSpareUnits: count,
  retiredSpareUnits: count,
  remaps: z.array(remapSchema).readonly(),
  counters: countersSchema,
  settings: z.array(settingSchema).readonly(),
});

export const scanAnswer = z.object({
  version,
  sets: z
    .array(
      z.object({
        setId,
        name,
        state: z.enum(['served', 'complete', 'incomplete', 'refused']),
        next: z.string().describe('what to do: a command, or what a person has to see to'),
        sequence: count,
        cleanShutdown: z.boolean(),
        updatedSeconds: seconds,
        main: z.object({
          sizeBytes: count,
          ...identity,
          path: path.describe('null: not found, or not to be told from others'),
          candidates: z.array(z.string()).readonly().describe('devices that can not be told apart'),
          provedBy: z.enum(['serialNumber', 'contents', 'size', 'served']).nullable(),
        }),
        spares: z
          .array(
            z.object({
              index: count,
              uuid: z.string(),
              sizeBytes: count,
              path: path.describe('null: not found'),
              model: z.string(),
              serial: z.string(),
            }),
          )
          .readonly(),
        problems: z
          .array(
            z.object({
              id: z.string().describe('stable name'),
              blocks: z.boolean().describe('the set must not be started like this'),
              message: z.string(),
            }),
          )
          .readonly()
          .describe('worst first'),
      }),
    )
    .readonly(),
  doubtful: z.array(problemOf).readonly().describe('metadata that belongs to no set that can be named'),
  unreadable: z.array(problemOf).readonly(),
});

const checkedSet = z.object({
  setId,
  name,
  sequence: count,
  generation: count,
  cleanShutdown: z.boolean(),
  unitBytes: count,
  logicalBlockBytes: count,
  mainSizeBytes: count,
  mainModel: z.string(),
  mainSerial: z.string(),
  remappedUnits: count,
  unitsWithLostBlocks: count,
  retiredSpareUnits: count,
  sparePaths: z.array(path).readonly().describe('by index of the spare; null: not given'),
});

export const metadataCheckAnswer = z.object({
  version,
  state: z
    .enum(['clean', 'damaged', 'doubtful', 'unusable'])
    .describe('damaged: the next start or a repair makes it whole; doubtful: a person has to decide'),
  problem: z
    .object({
      failure: z.enum(['usage', 'device', 'refused', 'metadata', 'io', 'system', 'bug']),
      message: z.string(),
    })
    .nullable()
    .describe('why the set is not started as it is; null where it is'),
  set: checkedSet.nullable().describe('null where no superblock counts'),
  copies: z
    .array(
      z.object({
        index: count,
        spareIndex: count,
        path: path.describe('null: its spare was not given'),
        offsetBytes: count,
        lengthBytes: count,
        state: z.enum(['good', 'damaged', 'missing']),
        superblock: z.string(),
        goodPages: count,
        badPages: count,
        note: z.enum(['current', 'blank', 'different', 'unreadable', 'missing']),
      }),
    )
    .readonly(),
  findings: z
    .array(
      z.object({
        what: z.enum(['superblock', 'page', 'note']),
        copyIndex: count,
        slot: count.describe('of the two versions that superblocks and pages have'),
        firstPage: count,
        pageCount: count,
        offsetBytes: count,
        state: z.string(),
        action: z.enum(['rewritten', 'updatedTwice', 'none']),
      }),
    )
    .readonly()
    .describe('blocks that are not as they should be'),
  lostPages: z.array(count).readonly(),
  maybeOutdatedPages: z.array(count).readonly(),
  impossibleUnits: z.array(count).readonly(),
  supersededPages: z.array(count).readonly(),
  anchors: z
    .array(
      z.object({
        path: z.string(),
        offsetBytes: count,
        state: z.string(),
        setId: setId.nullable(),
        sequence: count.nullable(),
      }),
    )
    .readonly()
    .describe('what lies wherever a superblock may be'),
});
