import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ControlClient } from '../control/client/control-client.js';
import { NoAnswer } from '../control/client/no-answer.js';
import { directoriesToLookIn } from '../control/run-directory.js';
import { runningCallsIn } from './running-calls.js';
import { recordingOutput } from './testing/fake-context.js';

let directory: string;
let socketPath: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dm-remap-running-'));
  socketPath = join(directory, '5b23f28f-5b43-4324-8893-0e32cfdfc062.sock');
  writeFileSync(socketPath, '');
});

afterEach(() => rmSync(directory, { recursive: true }));

/** As the kernel refuses a connection to a socket of another user; root, as which tests may run, is refused none. */
class ForbiddenClient extends ControlClient {
  override device(): Promise<never> {
    return Promise.reject(new NoAnswer(this.socketPath, 'EACCES'));
  }
}

it('A user who may not ask a socket is told so once, and what to do', async () => {
  const err = recordingOutput();
  const running = runningCallsIn(
    [directory],
    async () => true,
    err,
    (path) => new ForbiddenClient(path),
  );
  expect(await running.all()).toEqual([]);
  expect(await running.all()).toEqual([]);
  expect(err.text).toBe(
    `dmremap: ${socketPath}: not permitted to ask what is served there, which is left out; run as root\n`,
  );
  expect([...running.silent]).toEqual([socketPath]);
});

it('A set that is looked for by name may be the one that may not be asked', async () => {
  const err = recordingOutput();
  const running = runningCallsIn(
    [directory],
    async () => true,
    err,
    (path) => new ForbiddenClient(path),
  );
  await expect(running.one('attic')).rejects.toMatchObject({
    failure: 'device',
    message: `attic: not permitted to ask all that are served (${socketPath}); run as root`,
  });
  expect(err.text).toBe('');
});

it('A user looks for the sets that root serves, too; what the service manager says goes alone', () => {
  const look = (environment: NodeJS.ProcessEnv, isRoot = false) => directoriesToLookIn(environment, isRoot);
  expect(look({ XDG_RUNTIME_DIR: '/run/user/7' })).toEqual(['/run/user/7/dm-remap', '/run/dm-remap']);
  expect(look({})).toEqual(['/run/dm-remap']);
  expect(look({}, true)).toEqual(['/run/dm-remap']);
  expect(look({ RUNTIME_DIRECTORY: '/run/other' })).toEqual(['/run/other']);
});
