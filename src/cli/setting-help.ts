import { describeRange, formatSettingValue } from '../settings/setting-kind.js';
import { SETTING_KEYS, settingOf } from '../settings/setting-table.js';

/** Every setting as a paragraph of --help: name, other names, values, default, what it does. */
export function settingParagraphs(): string {
  return SETTING_KEYS.map((key) => {
    const { kind, standard, here, aliases, option } = settingOf(key);
    const also = aliases.length === 0 ? '' : ` (also ${aliases.join(', ')})`;
    const beaten = option === undefined ? '' : ` Option of run that beats it: ${option}.`;
    const facts = `${describeRange(kind)}; default ${formatSettingValue(kind, standard)}`;
    return `${key}${also}: ${facts}. ${here}${beaten}`;
  }).join('\n\n');
}
