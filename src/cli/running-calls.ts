import type { ControlClient } from '../control/client/control-client.js';
import type { RunningSet, Unheard } from '../control/client/running-sets.js';
import type { RunningCalls } from './cli-context.js';
import type { Output } from './output.js';

/** Asks over the sockets in these directories; tells a person of those from which nothing is heard. */
export function runningCallsIn(
  directories: readonly string[],
  isProcessAlive: (processId: number) => Promise<boolean>,
  err: Output,
  connect?: (socketPath: string) => ControlClient,
): RunningCalls {
  const silent = new Set<string>();
  const note: Note = (path, why) => {
    // One that hangs may go on between two looks, as of --watch; rights stay as they are.
    if (why === 'silent' || !silent.has(path)) err.write(`dmremap: ${path}: ${WHY[why]}\n`);
    silent.add(path);
  };
  const look = async (unheard: Note): Promise<RunningSet[]> => {
    const { runningSets } = await import('../control/client/running-sets.js');
    const looks = directories.map((one) => runningSets(one, isProcessAlive, unheard, undefined, connect));
    return (await Promise.all(looks)).flat();
  };
  return {
    silent,
    all: () => look(note),
    async one(wanted) {
      // Whom one may not ask matters only where the set is not found.
      const forbidden: string[] = [];
      const sets = await look((path, why) => (why === 'forbidden' ? forbidden.push(path) : note(path, why)));
      const { pickSet } = await import('../control/client/pick-set.js');
      const { reopenedSets } = await import('../control/client/reopened-sets.js');
      const reopened = await Promise.all(directories.map((one) => reopenedSets(one, isProcessAlive)));
      return pickSet(sets, wanted, reopened.flat(), forbidden);
    },
  };
}

type Note = (path: string, why: Unheard) => void;

const WHY: Readonly<Record<Unheard, string>> = {
  silent: 'the process that serves it gives no answer, and is left out',
  forbidden: 'not permitted to ask what is served there, which is left out; run as root',
};
