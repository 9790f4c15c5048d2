import { CONSTANT_MESSAGES } from './constant-messages.js';
import { done, type MessageFamily, type MessageReply, type MessageTarget, notDone } from './message.js';
import { METADATA_MESSAGES } from './metadata-messages.js';
import { REMAP_MESSAGES } from './remap-messages.js';
import { REPORT_MESSAGES } from './report-messages.js';
import { surplusArguments } from './surplus-arguments.js';

/**
 * Answers a message of the kernel module, of any of its versions, as its documents word it. Names are taken in any case.
 * Rejects with `DmRemapError` where the device itself refuses.
 */
export async function answerMessage(message: string, target: MessageTarget): Promise<MessageReply> {
  const [name, ...words] = message.trim().split(/\s+/);
  if (name === undefined || name === '') return notDone('error: missing command');
  const known = name.toLowerCase();
  const answer = ALL.get(known);
  if (answer === undefined) return unknown(name, target);
  return surplusArguments(known, words) ?? answer(words, target);
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
