import { formatCount } from '../../base/format-count.js';
import { type MessageReply, notDone } from './message.js';

/**
 * Refuses a message that has more arguments than any version of the module takes: whoever wrote "remap 1 2 3" wants three
 * sectors moved, or a place on the spare, and must not believe that it was done. Undefined where there are none too many.
 */
export function surplusArguments(name: string, words: readonly string[]): MessageReply | undefined {
  const most = mostArguments(name, words);
  if (words.length <= most) return undefined;
  const takes = most === 0 ? 'no arguments' : `${formatCount(most, 'argument')} at most`;
  return notDone(`error: ${name} takes ${takes}, not '${words.join(' ')}'`);
}

function mostArguments(name: string, [verb = '']: readonly string[]): number {
  if (name === 'remap_control') return ofRemapControl(verb);
  return MOST_ARGUMENTS[name] ?? 0;
}

/** Of an unknown verb any number: it is told how the message is used. */
function ofRemapControl(verb: string): number {
  return VERBS.get(verb) ?? Number.POSITIVE_INFINITY;
}

const VERBS = new Map([
  ['add', 3],
  ['remove', 2],
  ['list', 1],
]);

/** Any other message takes none. What is no message here is refused for that, whatever comes behind it. */
const MOST_ARGUMENTS: Readonly<Record<string, number>> = {
  remap: 1,
  verify: 1,
  load: 3,
  test_remap: 2,
  add_remap: 3,
  remove_remap: 1,
  auto_remap: 1,
  set_auto_remap: 1,
  migrate: Number.POSITIVE_INFINITY,
  spare_add: Number.POSITIVE_INFINITY,
  spare_remove: Number.POSITIVE_INFINITY,
};
