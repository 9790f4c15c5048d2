import { DmRemapError } from './errors.js';

/**
 * For the last part of a change that is made already. The next start does it, too; but whoever was told that the change had
 * failed would start the set with the devices that it had before, which it does not take any more. Answers why it failed, to
 * be told beside what was done; undefined where nothing is left.
 */
export async function leftToStart(part: Promise<void>): Promise<string | undefined> {
  try {
    await part;
    return undefined;
  } catch (error) {
    if (!(error instanceof DmRemapError)) throw error;
    return error.message;
  }
}
