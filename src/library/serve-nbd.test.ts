import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DeviceNotice } from './device-types.js';
import { serveNbd } from './serve-nbd.js';
import type { ThreadClient } from './thread-client.js';

vi.mock('../frontends/nbd/tls-credentials.js', () => ({
  loadTlsCredentials: async () => ({ ok: true, value: { certificate: '', key: '', authority: null } }),
}));

describe('TLS at a unix socket', () => {
  let directory: string;
  let path: string;
  let told: DeviceNotice[];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'dmr-serve-tls-'));
    path = join(directory, 'front.sock');
    told = [];
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Nobody connects: the device thread is not asked. */
  const serve = () =>
    serveNbd({} as ThreadClient, `nbds+unix:///disk?socket=${path}`, { tlsDirectory: directory }, (notice) =>
      told.push(notice),
    );

  it('takes the place of no file that is not a socket', async () => {
    writeFileSync(path, 'mine');
    await expect(serve()).rejects.toMatchObject({
      failure: 'system',
      message: expect.stringMatching(/^cannot listen on .*front\.sock: a file that is not a socket is there/),
    });
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('takes the place of no socket that somebody listens at', async () => {
    const other = createServer().listen(path);
    await once(other, 'listening');
    await expect(serve()).rejects.toThrow('another program listens there');
    expect(existsSync(path)).toBe(true);
    other.close();
  });

  it('tells why a client is refused', async () => {
    const endpoint = await serve();
    const client = connect(path, () => client.write(Buffer.from([0, 0, 0, 0xff])));
    client.resume();
    await once(client, 'close');
    expect(told).toMatchObject([{ level: 'warn', event: 'client.refused' }]);
    await endpoint.stop();
  });

  it('replaces a socket that nobody listens at any more, and removes its own in the end', async () => {
    const dead = createServer().listen(join(directory, 'dead.sock'));
    await once(dead, 'listening');
    renameSync(join(directory, 'dead.sock'), path);
    dead.close();
    await once(dead, 'close');
    const endpoint = await serve();
    await endpoint.stop();
    expect(existsSync(path)).toBe(false);
  });

  it('does not remove what has taken its place meanwhile', async () => {
    const endpoint = await serve();
    rmSync(path);
    const other = createServer().listen(path);
    await once(other, 'listening');
    await endpoint.stop();
    expect(existsSync(path)).toBe(true);
    other.close();
  });
});

it('TLS at TCP port 0 says which port the system chose', async () => {
  const endpoint = await serveNbd(
    {} as ThreadClient,
    'nbds://127.0.0.1:0/disk',
    { tlsDirectory: '/' },
    () => {},
  );
  expect(Number(new URL(endpoint.uri).port)).toBeGreaterThan(0);
  await endpoint.stop();
});
