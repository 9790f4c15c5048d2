import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDirectory } from '../project-directory.js';

/** The one command of the README that begins like this, without its comment; with other names where `names` has them. */
export function readmeCommand(beginning: string, names: Readonly<Record<string, string>> = {}): string {
  const readme = readFileSync(join(projectDirectory, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text]) => text!);
  const lines = blocks.flatMap((text) => text.split('\n')).filter((line) => line.startsWith(beginning));
  if (lines.length !== 1) throw new Error(`README.md has ${lines.length} commands "${beginning} ..."`);
  let command = lines[0]!.replace(/\s+#.*$/, '');
  for (const [name, other] of Object.entries(names)) command = command.replaceAll(name, other);
  return command;
}

/** Makes `dmremap` a command, as the README says it is, and answers with the PATH that has it. */
export function installCommand(): string {
  const directory = '/run/lab/bin';
  mkdirSync(directory, { recursive: true });
  const script = `#!/bin/sh\nexec node ${projectDirectory}/bin/dmremap.js "$@"\n`;
  writeFileSync(join(directory, 'dmremap'), script);
  chmodSync(join(directory, 'dmremap'), 0o755);
  return `${directory}:${process.env.PATH}`;
}
