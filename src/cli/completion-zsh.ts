import type { CompletedCommand } from './completion-table.js';

/** For zsh 5 with its completion system (compinit); can be sourced, or be a file `_dmremap` in fpath. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  const rows = commands.map(({ row }) => row).filter((row) => row !== '');
  return `#compdef dmremap
# Completion of dmremap for zsh; printed by "dmremap completion zsh".
_dmremap() {
  local row='' word
  local -a entries
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${row:+$row }$word" in
      (${rows.map(quoted).join('|')}) row="\${row:+$row }$word" ;;
    esac
  done
  case "$row \${words[CURRENT-1]}" in
${commands.flatMap(valueCases).join('')}  esac
  case "$row" in
${commands.map(wordsCase).join('')}  esac
  [[ \${words[CURRENT]} == -* ]] || (( compstate[nmatches] )) || _files
}
# Called for a completion where it is a file of fpath, else told to the completion system.
if [[ "$funcstack[1]" == _dmremap ]]; then _dmremap "$@"; else compdef _dmremap dmremap; fi
`;
}

function valueCases({ row, options }: CompletedCommand): string[] {
  return options.flatMap(({ name, value }) => {
    if (value === 'none') return [];
    const what = value === 'any' ? '_files' : `compadd -- ${value.map(quoted).join(' ')}`;
    return [`    (${quoted(`${row} ${name}`)}) ${what}; return ;;\n`];
  });
}

/** Options are offered only where one has been begun. */
function wordsCase({ row, words, options }: CompletedCommand): string {
  const offered = words.map(({ word, text }) => entry(word, text));
  const optional = options.map(({ name, text }) => entry(name, text));
  return `    (${quoted(row)})
      entries=(${offered.join(' ')}); [[ \${words[CURRENT]} == -* ]] && entries=(${optional.join(' ')})
      (( $#entries )) && _describe -t words '${row === '' ? 'command' : row}' entries ;;
`;
}

/** `_describe` takes everything behind a colon for the text. */
function entry(word: string, text: string): string {
  return quoted(`${word.replaceAll(':', '\\:')}:${text}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
