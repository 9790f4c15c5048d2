import { commandLine } from '../base/shell-words.js';

/** How a text of the map is brought back, as the end of a sentence; the set where it is known, for the file's name. */
export function restoreHint(setId: string | undefined, spares: readonly string[]): string {
  const file = `${setId ?? 'SETID'}_TIME_gN.txt`;
  return (
    `"${commandLine(['dmremap', 'metadata', 'restore', file, ...spares])}" writes it anew from a dump, or from the newest text of ` +
    '"run --archive" (of a service: in /var/lib/dm-remap)'
  );
}
