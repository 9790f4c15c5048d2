import { DmRemapError } from '../../library/errors.js';
import { CONSTANT_MESSAGES } from './constant-messages.js';
import { done, type MessageFamily, type MessageReply, type MessageTarget, notDone } from './message.js';
import { METADATA_MESSAGES } from './metadata-messages.js';
import { REMAP_MESSAGES } from './remap-messages.js';
import { REPORT_MESSAGES } from './report-messages.js';
import { surplusArguments } from './surplus-arguments.js';

/**
 * Answers a message of the kernel module, of any of its versions, as its documents word it. Names are taken in any case.
 * What the device itself refuses is an answer, too. Rejects with `DmRemapError` for what is no matter of the message.
 */
export async function answerMessage(message: string, target: MessageTarget): Promise<MessageReply> {
  const [name, ...words] = message.trim().split(/\s+/);
  if (name === undefined || name === '') return notDone('error: missing command');
  const known = name.toLowerCase();
  const answer = ALL.get(known);
  if (answer === undefined) return unknown(name, target);
  return surplusArguments(known, words) ?? answered(() => answer(words, target));
}

/** As every other refusal of a message: whoever reads the answers hears of it there. */
async function answered(answer: () => MessageReply | Promise<MessageReply>): Promise<MessageReply> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof DmRemapError) || error.failure !== 'refused') throw error;
    return notDone(`error: ${error.message}`, error.failure);
  }
}

const HELP: MessageFamily = { help: () => done(`Commands: ${MESSAGE_NAMES.join(', ')}`) };

const ALL = new Map(
  [HELP, CONSTANT_MESSAGES, REMAP_MESSAGES, METADATA_MESSAGES, REPORT_MESSAGES].flatMap((family) =>
    Object.entries(family),
  ),
);

/** Every message that is answered. */
export const MESSAGE_NAMES: readonly string[] = [...ALL.keys()];

/** v1 to v3 and v4 have words of their own for it. */
function unknown(name: string, { createdAs }: MessageTarget): MessageReply {
  if (createdAs?.target !== 'remap') return notDone(`Unknown command '${name}'. Try 'help'`);
  const known = 'ping, remap, verify, clear, save, restore, metadata_status, sync';
  return notDone(`error: unknown command '${name}' (try: ${known})`);
}
