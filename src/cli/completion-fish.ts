import type { CompletedCommand } from './completion-table.js';

/** For fish 3. Of a row of words that names a command, what may follow; files where an argument may. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const rows = commands.map(({ row }) => row).filter((row) => row !== '');
  return `# Completion of dmremap for fish; printed by "dmremap completion fish".
function __dmremap_at --description 'whether the command line so far names this command'
    set -l row
    for word in (commandline -opc)[2..-1]
        set -l longer (string trim -- "$row $word")
        contains -- "$longer" ${rows.map(quoted).join(' ')}; and set row "$longer"
    end
    test "$row" = "$argv[1]"
end
${commands.flatMap(linesOf).join('')}`;
}

function linesOf({ row, words, options }: CompletedCommand): string[] {
  const at = `complete -c dmremap -n ${quoted(`__dmremap_at ${quoted(row)}`)}`;
  return [
    ...words.map(({ word, text }) => `${at} -f -a ${quoted(word)} -d ${quoted(text)}\n`),
    ...options.map(({ name, text, value }) => {
      const option = `${at} -l ${name.slice(2)} -d ${quoted(text)}`;
      if (value === 'none') return `${option}\n`;
      return value === 'any' ? `${option} -r -F\n` : `${option} -x -a ${quoted(value.join(' '))}\n`;
    }),
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
