import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MODULE_ALIASES, MODULE_PARAMETERS } from './module-parameters.js';
import { describeRange, formatSettingValue } from './setting-kind.js';
import { SETTING_KEYS, settingOf } from './setting-table.js';

/** The tables of docs/settings.md. `UPDATE_DOCS=1 npx vitest run src/settings/settings-page.test.ts` writes them. */
const PAGE = new URL('../../docs/settings.md', import.meta.url);

function settingTable(): string {
  const rows = SETTING_KEYS.map((key) => {
    const { kind, standard, here, module, aliases, option } = settingOf(key);
    const also = aliases.length === 0 ? '' : ` Also: ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`;
    const beaten = option === undefined ? '' : ` Beaten by \`${option}\`.`;
    const value = `${describeRange(kind)}; default ${formatSettingValue(kind, standard)}`;
    return `| \`${key}\` | ${value} | ${here}${beaten}${also} | ${module ?? '-'} |`;
  });
  return ['| setting | values | what it does | in the module |', '|---|---|---|---|', ...rows].join('\n');
}

function parameterTable(): string {
  const rows = Object.entries(MODULE_PARAMETERS).map(([name, { value, why, module }]) => {
    const names = [name, ...Object.keys(MODULE_ALIASES).filter((alias) => MODULE_ALIASES[alias] === name)];
    return `| ${names.map((one) => `\`${one}\``).join(', ')} | ${value ?? '-'} | ${why} | ${module} |`;
  });
  return ['| parameter | value | why | in the module |', '|---|---|---|---|', ...rows].join('\n');
}

it.each([
  ['settings', settingTable],
  ['parameters', parameterTable],
])('the page has the table of %s as the code has it', (name, table) => {
  const place = new RegExp(`(<!-- ${name} -->\n)([^]*?)(\n?<!-- end -->)`);
  const page = readFileSync(PAGE, 'utf8');
  if (process.env.UPDATE_DOCS === '1')
    writeFileSync(
      PAGE,
      page.replace(place, (_, before) => `${before}${table()}\n<!-- end -->`),
    );
  expect(place.exec(readFileSync(PAGE, 'utf8'))?.[2]).toBe(table());
});
