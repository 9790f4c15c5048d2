import { MODULE_PARAMETERS } from '../../settings/module-parameters.js';
import { done, type MessageFamily, type MessageReply, notDone } from './message.js';

/** Messages whose answer is always the same. */
export const CONSTANT_MESSAGES: MessageFamily = {
  ping: () => done('pong'),
  auto_remap: ([word]) => autoRemap(word?.toLowerCase()),
  set_auto_remap: ([word]) => autoRemap(word?.toLowerCase()),
  migrate: () =>
    byCommand('migrate', 'dmremap spare add NEW --set NAME, then dmremap spare remove OLD --set NAME'),
  spare_add: () => byCommand('spare_add', 'dmremap spare add PATH --set NAME'),
  spare_remove: () => byCommand('spare_remove', 'dmremap spare remove PATH --set NAME'),
};

/** The parameter of the module that has one value here. */
function autoRemap(word: string | undefined): MessageReply {
  const { why } = MODULE_PARAMETERS.auto_remap_enabled!;
  switch (word) {
    case undefined:
    case 'enable':
    case '1':
      return done(`enabled (${why})`);
    case 'disable':
    case '0':
      return notDone(`error: auto_remap cannot be disabled: ${why}`, 'refused');
    default:
      return notDone('Usage: auto_remap enable|disable|1|0');
  }
}

/** A device is overwritten, which a message does not ask about, and the set is opened anew, which a message does not wait for. */
function byCommand(name: string, command: string): MessageReply {
  return notDone(`error: ${name} is no message here; use: ${command}`, 'refused');
}
