import { filesOfDirectory, namedFile } from '../configuration/configuration-files.js';
import type { Configuration } from '../configuration/read-configuration.js';
import { DmRemapError } from '../library/errors.js';

/** Where the configuration is: one file that a person names, else what is in the directory. */
export interface ConfigurationPlace {
  readonly file: string | undefined;
  readonly directory: string;
}

/** Without any file it is empty, and what reads files is not even loaded. Mistakes in one are usage errors. */
export async function loadConfiguration({ file, directory }: ConfigurationPlace): Promise<Configuration> {
  const files = file === undefined ? filesOfDirectory(directory) : namedFile(file);
  if (!files.ok) throw new DmRemapError('usage', files.error);
  if (files.value.length === 0) return { files: [], sets: new Map() };
  const { readConfiguration } = await import('../configuration/read-configuration.js');
  const read = readConfiguration(files.value);
  if (!read.ok) throw new DmRemapError('usage', read.error);
  return read.value;
}

/** Where somebody would look for it, for messages. */
export function describePlace({ file, directory }: ConfigurationPlace): string {
  return file ?? `${directory}/dm-remap.yaml and conf.d`;
}
