import { readFile, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { socketPathOf } from './run-directory.js';

/**
 * Why a process that has ended did not stop its set cleanly. It lies beside the socket until somebody who has asked for the stop
 * takes it; the next process that serves the set removes it with what else was left (`abandoned-sockets.ts`).
 */
const uncleanStopSchema = z.object({
  failure: z.enum(['usage', 'device', 'refused', 'metadata', 'io', 'system']),
  /** One line. */
  message: z.string(),
});

export type UncleanStop = z.infer<typeof uncleanStopSchema>;

/** Before the process ends: its status is seen by nobody but the one who has started it. */
export async function noteUncleanStop(
  runDirectory: string,
  setId: string,
  { failure, message }: UncleanStop,
): Promise<void> {
  // Where there is no room for it, the log has it all the same.
  await writeFile(pathOf(runDirectory, setId), JSON.stringify({ failure, message }), { mode: 0o600 }).catch(
    () => {},
  );
}

/** Undefined: it was clean, as far as anybody knows. */
export async function takeUncleanStop(runDirectory: string, setId: string): Promise<UncleanStop | undefined> {
  const path = pathOf(runDirectory, setId);
  try {
    const noted = uncleanStopSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    await rm(path, { force: true });
    return noted.data;
  } catch {
    // Not there, which is as it should be, or cut off.
    return undefined;
  }
}

function pathOf(runDirectory: string, setId: string): string {
  return `${socketPathOf(runDirectory, setId)}.not-clean`;
}
