import { errnoName } from '../base/errno.js';
import { execv, fcntl } from './ffi.js';

/**
 * Starts the program again in place of itself (execve(2)): the same process id, so a service manager notices nothing; all
 * threads and descriptors but the standard files are gone. `words`: what comes after the script. Never returns.
 */
export function startAgain(words: readonly string[]): never {
  // Node has made its standard files close-on-exec for the programs that it starts.
  for (const fd of STANDARD_FILES) fcntl(fd, F_SETFD, 0);
  const script = process.argv[1]!;
  const errno = -execv(process.execPath, [process.argv0, ...process.execArgv, script, ...words]);
  throw new Error(`cannot start ${process.execPath} again: ${errnoName(errno)}`);
}

const STANDARD_FILES = [0, 1, 2];
const F_SETFD = 2;
