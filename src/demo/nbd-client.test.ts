import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { serveSockets } from '../frontends/nbd/testing/socket-server.js';
import { TestServer } from '../frontends/nbd/testing/test-server.js';
import { RunState } from '../ports/served-device.js';
import { NbdClient } from './nbd-client.js';

describe('the NBD client', () => {
  let directory: string;
  let server: Server;
  let test: TestServer;
  const address = (): { path: string } => ({ path: join(directory, 'nbd.sock') });

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'dmremap-client-'));
    test = new TestServer({ geometry: { sizeBytes: 40 << 20 }, memoryBytes: 64 << 20 });
    server = await serveSockets(test, address().path);
  });

  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });

  it('learns size and block sizes', async () => {
    const client = await NbdClient.connect({ address: address() });
    expect(client.agreed).toMatchObject({
      sizeBytes: 40 << 20,
      minimumBlockBytes: 512,
      preferredBlockBytes: 4096,
      maximumPayloadBytes: 32 << 20,
      structuredReplies: true,
    });
    await client.disconnect();
    expect(test.isIdle).toBe(true);
  });

  it('has many requests in flight, each with its own answer', async () => {
    const client = await NbdClient.connect({ address: address(), exportName: 'disk' });
    const blocks = Array.from({ length: 500 }, (_, i) => i);
    await Promise.all(blocks.map((i) => client.write(i * 4096, Buffer.alloc(4096, i & 0xff))));
    const read = await Promise.all(blocks.map((i) => client.read(i * 4096, 4096)));
    for (const i of blocks) expect(read[i]!.every((byte) => byte === (i & 0xff))).toBe(true);
    await client.disconnect();
  });

  it('moves 32 MiB at once', async () => {
    const client = await NbdClient.connect({ address: address() });
    const payload = Buffer.alloc(32 << 20, 'large');
    await client.write(512, payload);
    expect(Buffer.compare(await client.read(512, payload.length), payload)).toBe(0);
    await client.disconnect();
  });

  it('flushes, trims, zeroes and asks for the status', async () => {
    test.device.state = (offsetBytes) => ({
      state: offsetBytes < 4096 ? RunState.remapped : 0,
      lengthBytes: offsetBytes < 4096 ? 4096 - offsetBytes : 1 << 30,
    });
    const client = await NbdClient.connect({
      address: address(),
      contexts: ['x-dm-remap:state', 'none:such'],
    });
    await client.write(0, Buffer.alloc(1024, 1));
    await client.zero(0, 512, { noHole: true, fua: true });
    await client.trim(512, 512, { fua: true });
    await client.flush();
    expect((await client.read(0, 1024)).every((byte) => byte === 0)).toBe(true);
    expect((await client.blockStatus(0, 8192)).get('x-dm-remap:state')).toEqual([
      { lengthBytes: 4096, flags: 1 },
      { lengthBytes: 4096, flags: 0 },
    ]);
    await client.disconnect();
  });

  it('rejects with the errno, the text and the place of the server', async () => {
    test.device.failure = (operation) => (operation === 'read' ? ERRNO.EIO : 0);
    test.device.state = () => ({ state: RunState.lost, lengthBytes: 512 });
    const client = await NbdClient.connect({ address: address() });
    await expect(client.read(4096, 512)).rejects.toMatchObject({ errno: ERRNO.EIO, badOffsetBytes: 4096 });
    await expect(client.write(1, Buffer.alloc(512))).rejects.toMatchObject({ errno: ERRNO.EINVAL });
    await client.disconnect();
  });

  it('rejects what is in flight when the connection breaks, and everything after', async () => {
    const client = await NbdClient.connect({ address: address() });
    test.device.holding = true;
    const inFlight = expect(client.read(0, 512)).rejects.toThrow('closed');
    client.destroy();
    await inFlight;
    await expect(client.flush()).rejects.toThrow('closed');
    test.device.resume();
    test.loop.settle();
  });

  it('says when there is no such export', async () => {
    await expect(NbdClient.connect({ address: address(), exportName: 'other' })).rejects.toMatchObject({
      name: 'NbdOptionError',
    });
  });
});
