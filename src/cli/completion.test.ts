import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from './command-line.js';
import { fakeContext } from './testing/fake-context.js';

const LINES: readonly [string, string[]][] = [
  ['dmremap bo', ['boot']],
  ['dmremap boot en', ['enable']],
  ['dmremap assemble --d', ['--device', '--dry-run']],
  ['dmremap run --io ', ['uring', 'portable']],
  ['dmremap run --io uring --on-l', ['--on-lost']],
  ['dmremap completion ', ['bash', 'zsh', 'fish']],
  ['dmremap inspect /etc/pass', ['/etc/passwd']],
  ['dmremap run --main /etc/host', ['/etc/hostname', '/etc/hosts']],
];

async function scriptFor(shell: string): Promise<string> {
  const { context, out } = fakeContext();
  expect(await runCommandLine(['completion', shell], context)).toBe(0);
  return out.text;
}

/** Every word that is offered begins with what was typed of it. */
function expectNothingElse(offered: readonly string[], line: string): void {
  const typed = line.split(' ').at(-1)!;
  expect(offered.filter((word) => !word.startsWith(typed))).toEqual([]);
}

/** What a shell that ran `script` has written, by lines; undefined, with the reason printed, where the shell is not there. */
function outputOf(shell: string, args: readonly string[]): string[] | undefined {
  const { error, stdout, stderr } = spawnSync(shell, args, { encoding: 'utf8', timeout: 60_000 });
  if (error !== undefined) {
    console.warn(`${shell} is not installed (${error.message}): its completion is not tried`);
    return undefined;
  }
  expect(stderr).toBe('');
  return stdout.split('\n').filter((each) => each !== '');
}

describe('dmremap completion bash', () => {
  it.each(LINES)('completes "%s"', async (line, wanted) => {
    const words = line.split(' ');
    const script = `${await scriptFor('bash')}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_dmremap; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = outputOf('bash', ['-c', script]);
    if (output === undefined) return;
    expect(output).toEqual(expect.arrayContaining(wanted));
    expectNothingElse(output, line);
  });
});

describe('dmremap completion fish', () => {
  it.each(LINES)('completes "%s"', async (line, wanted) => {
    const script = `${await scriptFor('fish')}\ncomplete -C '${line}'`;
    const output = outputOf('fish', ['--no-config', '-c', script]);
    if (output === undefined) return;
    const offered = output.map((each) => each.split('\t')[0]);
    expect(offered).toEqual(expect.arrayContaining(wanted));
    expectNothingElse(offered as string[], line);
  });
});

/** In a terminal of its own, as completion works nowhere else. What is offered goes to a file, then `#done`. */
function inZshTerminal(scriptPath: string, offeredPath: string, line: string): string {
  return `
zmodload zsh/zpty zsh/zselect
zpty shell zsh -f -i
zpty -w shell "PROMPT=; autoload -U compinit; compinit -D -u; source ${scriptPath}"
zpty -w shell 'compadd() {
  builtin compadd "$@"; local status_was=$?
  [[ " \${@[1,(i)(-|--)]} " == *" -"(O|A|D)" "* ]] && return status_was
  local -a hits; builtin compadd -A hits "$@"; print -rl -- $hits >> ${offeredPath}
  return status_was
}'
zpty -w shell 'told() { print "#done" >> ${offeredPath}; }; comppostfuncs=(told); bindkey "^I" complete-word'
zpty -w -n shell $'${line}\\t'
for wait in {1..500}; do grep -q "#done" ${offeredPath} 2>/dev/null && break; zselect -t 5; done
zpty -d shell
cat ${offeredPath}`;
}

describe('dmremap completion zsh', () => {
  it.each(LINES)('completes "%s"', async (line, wanted) => {
    const directory = mkdtempSync(join(tmpdir(), 'dm-remap-zsh-'));
    const scriptPath = join(directory, 'script');
    writeFileSync(scriptPath, await scriptFor('zsh'));
    const offered = outputOf('zsh', [
      '-f',
      '-c',
      inZshTerminal(scriptPath, join(directory, 'offered'), line),
    ]);
    rmSync(directory, { recursive: true });
    if (offered === undefined) return;
    expect(offered.pop()).toBe('#done');
    expectNothingElse(offered, line.replace('/etc/', ''));
    // Of a path the system offers the last part.
    expect(offered).toEqual(expect.arrayContaining(wanted.map((word) => word.replace('/etc/', ''))));
  });
});

describe('dmremap man', () => {
  it.each([
    [[]],
    [['run']],
    [['boot', 'enable']],
    [['remap', 'add']],
    [['assemble']],
  ])('prints a page for %j that groff takes without a complaint', async (words: string[]) => {
    const { context, out } = fakeContext();
    expect(await runCommandLine(['man', ...words], context)).toBe(0);
    expect(out.text).toMatch(
      /^\.TH DMREMAP[A-Z-]* 8 (.*\n)+\.SH NAME\n(.*\n)+\.SH SYNOPSIS\n(.*\n)+\.SH EXIT STATUS\n/,
    );
    const { error, stdout, stderr } = spawnSync('groff', ['-man', '-Tascii', '-ww'], {
      input: out.text,
      encoding: 'utf8',
    });
    if (error !== undefined) return console.warn('groff is not installed: only the macros are checked');
    expect(stderr).toBe('');
    expect(stdout).toContain(`dmremap${words.map((word) => `-${word}`).join('')} - `);
  });

  it('knows no other command', async () => {
    await expect(runCommandLine(['man', 'frmat'], fakeContext().context)).rejects.toMatchObject({
      failure: 'usage',
    });
  });
});
