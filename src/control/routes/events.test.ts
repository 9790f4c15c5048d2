import { mkdtempSync, rmSync } from 'node:fs';
import { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ControlApp, emptyApp } from '../empty-app.js';
import { EventHistory } from '../event-history.js';
import { addEventRoutes } from './events.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dm-remap-events-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Somebody who follows the events and takes none of them. */
async function followed(name: string) {
  const events = new EventHistory(Date.now);
  const app: ControlApp = emptyApp();
  addEventRoutes(app, { events } as Parameters<typeof addEventRoutes>[1]);
  const path = join(directory, name);
  await app.listen({ path });
  const begun = vi.spyOn(ServerResponse.prototype, 'writeHead');
  const client = connect(path).pause();
  client.write('GET /v1/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n');
  await vi.waitUntil(() => begun.mock.contexts.length > 0);
  const [response] = begun.mock.contexts as ServerResponse[];
  begun.mockRestore();
  const add = async (): Promise<void> => {
    events.add({ level: 'info', event: 'e', message: 'm'.repeat(100), details: {} });
    await turn();
  };
  return { app, client, response: response!, add };
}

it('may close while somebody takes no events, and hears of one more in that moment', async () => {
  const first = await followed('first.sock');
  let room = 0;
  for (; first.response.writableLength === 0; room += 1) await first.add();
  first.client.destroy();
  await first.app.close();
  const { app, client, response, add } = await followed('second.sock');
  for (let count = 1; count < room; count += 1) await add();
  // Nothing waits here, and the last words do not fit.
  expect(response.writableLength).toBe(0);
  const broken = vi.fn();
  response.on('error', broken);
  const closed = app.close();
  await vi.waitUntil(() => response.writableEnded);
  await add();
  await closed;
  expect(broken).not.toHaveBeenCalled();
  client.destroy();
});
