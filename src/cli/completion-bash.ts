import type { CompletedCommand } from './completion-table.js';

/** For bash 4.0 or later. The longest row of words that names a command decides what may follow; files where an argument may. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  const rows = commands.map(({ row }) => row).filter((row) => row !== '');
  return `# Completion of dmremap for bash; printed by "dmremap completion bash".
_dmremap() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} row='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${row:+$row }$word" in
      ${rows.map((row) => `'${row}'`).join('|')}) row="\${row:+$row }$word" ;;
    esac
  done
  COMPREPLY=()
  case "$row $previous" in
${commands.flatMap(valueCases).join('')}  esac
  case "$row" in
${commands.map(wordsCase).join('')}  esac
  [[ $current == -* || \${#COMPREPLY[@]} -gt 0 ]] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
complete -o filenames -F _dmremap dmremap
`;
}

function valueCases({ row, options }: CompletedCommand): string[] {
  return options.flatMap(({ name, value }) => {
    if (value === 'none') return [];
    const words = value === 'any' ? '-f' : `-W '${value.join(' ')}'`;
    return [`    '${row} ${name}') mapfile -t COMPREPLY < <(compgen ${words} -- "$current"); return ;;\n`];
  });
}

function wordsCase({ row, words, options }: CompletedCommand): string {
  const all = [...words.map(({ word }) => word), ...options.map(({ name }) => name)];
  return `    '${row}') mapfile -t COMPREPLY < <(compgen -W '${all.join(' ')}' -- "$current") ;;\n`;
}
