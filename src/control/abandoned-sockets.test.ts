import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeAbandonedSockets } from './abandoned-sockets.js';
import { leaveSocket } from './testing/abandoned-socket.js';

const SET = '5b23f28f-5b43-4324-8893-0e32cfdfc062';
const OTHER = '5b23f28f-5b43-4324-8893-0e32cfdfc063';
let directory: string;
let listening: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dm-remap-run-'));
});

afterEach(async () => {
  await new Promise((resolve) => (listening === undefined ? resolve(null) : listening.close(resolve)));
  listening = undefined;
  rmSync(directory, { recursive: true });
});

test('Sockets that killed processes of a set left go, finished or not; those of other sets stay', async () => {
  for (const name of [`${SET}.sock`, `${SET}.sock.4711`, `${OTHER}.sock`])
    await leaveSocket(join(directory, name));
  await removeAbandonedSockets(directory, SET);
  expect(readdirSync(directory)).toEqual([`${OTHER}.sock`]);
});

test('A socket that a process listens at stays', async () => {
  listening = createServer();
  await new Promise<void>((resolve) => listening!.listen(join(directory, `${SET}.sock`), resolve));
  await leaveSocket(join(directory, `${SET}.sock.4711`));
  await removeAbandonedSockets(directory, SET);
  expect(readdirSync(directory)).toEqual([`${SET}.sock`]);
});

test('Without a run directory there is nothing to remove', async () => {
  await removeAbandonedSockets(join(directory, 'missing'), SET);
  expect(readdirSync(directory)).toEqual([]);
});
