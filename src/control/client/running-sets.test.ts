import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { reopenedPathOf, socketPathOf } from '../run-directory.js';
import { ControlClient } from './control-client.js';
import { NoAnswer } from './no-answer.js';
import { reopenedSets } from './reopened-sets.js';
import { runningSets } from './running-sets.js';

const SET = '5b23f28f-5b43-4324-8893-0e32cfdfc062';
const OTHER = '5b23f28f-5b43-4324-8893-0e32cfdfc063';
const HOURS = { limitMs: 3_600_000, lookMs: 1, answerMs: 3_600_000 };
const nobody = (socketPath: string): never => expect.fail(`${socketPath} gives no answer`);
const alive = async (): Promise<boolean> => true;
const dead = async (): Promise<boolean> => false;
let directory: string;
let servers: Server[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dm-remap-run-'));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true });
});

test('A set that its process opens again is waited for', async () => {
  const mark = reopenedPathOf(socketPathOf(directory, SET), 4711);
  writeFileSync(mark, '');
  const waiting = runningSets(directory, alive, nobody, HOURS);
  await serve(SET);
  rmSync(mark);
  expect(await waiting).toMatchObject([{ device: { setId: SET } }]);
});

test('A set is opened again while its process lives, or a moment after that has handed it over', async () => {
  writeFileSync(reopenedPathOf(socketPathOf(directory, SET), 4711), '');
  const later = Date.now() + 60_000;
  expect(await reopenedSets(directory, alive, later)).toEqual([{ setId: SET, processId: 4711 }]);
  expect(await reopenedSets(directory, dead)).toEqual([{ setId: SET, processId: 4711 }]);
  expect(await reopenedSets(directory, dead, later)).toEqual([]);
});

test('A set that does not come back hides no other one', async () => {
  writeFileSync(reopenedPathOf(socketPathOf(directory, SET), 4711), '');
  await serve(OTHER);
  const found = await runningSets(directory, alive, nobody, { ...HOURS, limitMs: 0 });
  expect(found).toMatchObject([{ device: { setId: OTHER } }]);
});

test('A set that is being closed is waited for, and what a killed process left is not', async () => {
  writeFileSync(socketPathOf(directory, OTHER), '');
  await serve(SET, 3);
  expect(await runningSets(directory, dead, nobody, HOURS)).toMatchObject([{ device: { setId: SET } }]);
});

test('A process that hangs hides no other set, and is told of', async () => {
  await serve(OTHER);
  const silentPath = socketPathOf(directory, SET);
  const server = createServer(() => {}).listen(silentPath);
  servers.push(server);
  const silent: string[] = [];
  const patience = { ...HOURS, answerMs: 300 };
  const found = await runningSets(directory, alive, (path) => silent.push(path), patience);
  expect(silent).toEqual([silentPath]);
  expect(found).toMatchObject([{ device: { setId: OTHER } }]);
});

test('A process that this user may not ask hides no other set, and is told of', async () => {
  await serve(OTHER);
  const path = socketPathOf(directory, SET);
  writeFileSync(path, '');
  const unheard: string[][] = [];
  const note = (...all: string[]) => unheard.push(all);
  const found = await runningSets(directory, alive, note, HOURS, (socketPath) =>
    socketPath === path ? new ForbiddenClient(path) : new ControlClient(socketPath),
  );
  expect(unheard).toEqual([[path, 'forbidden']]);
  expect(found).toMatchObject([{ device: { setId: OTHER } }]);
});

/** As the kernel refuses a connection to a socket of another user; root, as which tests may run, is refused none. */
class ForbiddenClient extends ControlClient {
  override device(): Promise<never> {
    return Promise.reject(new NoAnswer(this.socketPath, 'EACCES'));
  }
}

/** A process that serves a set; the first looks find it closing. */
async function serve(setId: string, closingLooks = 0): Promise<void> {
  let looks = 0;
  const server = createServer((_, response) => {
    looks += 1;
    const isClosing = looks <= closingLooks;
    const closing = { error: { failure: 'system', message: 'the device is being closed' } };
    response.writeHead(isClosing ? 503 : 200).end(JSON.stringify(isClosing ? closing : { setId, name: '' }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(socketPathOf(directory, setId), resolve));
}
