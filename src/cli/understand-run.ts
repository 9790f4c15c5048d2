import { isAbsolute } from 'node:path';
import { Command, CommanderError } from 'commander';
import { DmRemapError } from '../library/errors.js';
import type { RunRequest } from './configured-run.js';
import { refuseOptionTwice } from './refuse-option-twice.js';
import { addRunCommand } from './run-command.js';

/** What `dmremap run` makes of these words behind its name; for commands that start it. Refuses as that does. */
export async function understandRun(words: readonly string[]): Promise<RunRequest> {
  let understood: RunRequest | undefined;
  const program = new Command().exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  addRunCommand(program, async (request) => {
    understood = request;
  });
  refuseOptionTwice(program);
  try {
    await program.parseAsync(['run', ...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new DmRemapError('usage', `${error.message.replace(/^error: /, '')}; see dmremap run --help`);
  }
  return understood!;
}

/** For a process with another working directory. */
export function refuseRelativePaths({ config, nbd, tls, device }: RunRequest): void {
  const paths = {
    '--config': config,
    '--archive': device.archive,
    '--faults': device.faults,
    '--tls-dir': tls.tlsDirectory,
  };
  for (const [option, path] of Object.entries(paths))
    if (path !== undefined && !isAbsolute(path)) throw mistake(`${option} ${path}: give the path`);
  for (const uri of nbd)
    if (/[?&]socket=(?!\/|%2f)/i.test(uri)) throw mistake(`--nbd ${uri}: give the path of the socket`);
}

function mistake(what: string): DmRemapError {
  return new DmRemapError('usage', `${what} from / on: the process has another working directory`);
}
