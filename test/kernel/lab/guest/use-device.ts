import { type LogEvent, logEvents } from './device-log.js';
import { type Served, type ServeOptions, serve } from './dmremap.js';
import type { Guest } from './guest.js';
import { PatternFile } from './pattern-file.js';

/** Serves a set, has its block device used, stops it cleanly. Returns what it logged. */
export async function useDevice(
  guest: Guest,
  options: ServeOptions,
  work: (file: PatternFile, served: Served) => Promise<void>,
): Promise<readonly LogEvent[]> {
  const served = await serve(guest, options);
  const file = await PatternFile.open(served.path);
  await work(file, served);
  await file.close();
  await served.stop();
  return logEvents(served.program);
}
