import { DmRemapError } from '../../library/errors.js';
import { done, type MessageFamily, type MessageReply, type MessageTarget, notDone } from './message.js';

/**
 * The module's v3 messages about its metadata. Here every change is durable before it is used: what the replies promise
 * is so already, and each message makes sure of it once more.
 */
export const METADATA_MESSAGES: MessageFamily = {
  save: (_, target) => save(target),
  restore: (_, target) => restore(target),
  sync: (_, target) => sync(target),
  metadata_status: (_, target) => metadataStatus(target),
  scan: (_, target) => scan(target),
};

async function save(target: MessageTarget): Promise<MessageReply> {
  const problem = await flushed(target);
  return problem === undefined
    ? done('metadata saved successfully')
    : notDone(`metadata save failed: ${problem}`, 'io');
}

/** Nothing has to be read again: the table in memory is what all copies say, and the scrub sees to that. */
async function restore(target: MessageTarget): Promise<MessageReply> {
  await target.device.scrubMetadata();
  const { remappedUnits } = await target.device.status();
  return done(`restored ${remappedUnits} remap entries`);
}

async function sync(target: MessageTarget): Promise<MessageReply> {
  const problem = await flushed(target);
  const { remappedUnits } = await target.device.status();
  return problem === undefined
    ? done(`synced ${remappedUnits} entries to metadata`)
    : notDone(`sync failed: ${problem}`, 'io');
}

async function metadataStatus({ device, figures }: MessageTarget): Promise<MessageReply> {
  const { metadataCommits, metadataWriteErrors } = figures.of((await device.status()).counters);
  const saves = `${metadataCommits}/${metadataWriteErrors}`;
  return done(`metadata: enabled, autosave: active, saves: ${saves} (success/fail)`);
}

async function scan(target: MessageTarget): Promise<MessageReply> {
  const { pageCount, repairedBlocks } = await target.device.scrubMetadata();
  target.figures.scanCount += 1;
  return done(`scan: ${pageCount} metadata pages compared, ${repairedBlocks} blocks repaired`);
}

async function flushed({ device }: MessageTarget): Promise<string | undefined> {
  try {
    await device.flush();
    return undefined;
  } catch (error) {
    if (error instanceof DmRemapError) return error.message;
    throw error;
  }
}
