import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NbdClient, type NbdClientOptions } from '../../demo/nbd-client.js';
import { Command, Option, OptionReply } from './protocol.js';
import { serveSockets } from './testing/socket-server.js';
import { infoData, optionBytes, parseOptionReplies, requestBytes, u32 } from './testing/test-client.js';
import { TestServer } from './testing/test-server.js';
import { loadTlsCredentials, type TlsCredentials } from './tls-credentials.js';
import { TlsFront, type TlsFrontEvent } from './tls-front.js';

/** In place of seconds, and of a minute. */
const SHORT_MS = vi.hoisted(() => 1000);
vi.mock('./limits.js', async (original) => ({
  ...(await original<typeof import('./limits.js')>()),
  STOP_GRACE_MS: SHORT_MS,
  STALL_MS: SHORT_MS,
}));

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.log('TLS front tests skipped: the openssl command is not installed');

/** Certificates as certtool or openssl make them: one authority, a server and a client signed by it. */
function makeCertificates(directory: string): void {
  const run = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  run('req', '-x509', ...key, '-keyout', 'ca-key.pem', '-out', 'ca-cert.pem', '-subj', '/CN=test authority');
  writeFileSync(join(directory, 'server.ext'), 'subjectAltName=DNS:localhost\n');
  for (const name of ['server', 'client']) {
    run(
      'req',
      ...key.slice(0, 5),
      '-keyout',
      `${name}-key.pem`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    );
    const sign = [
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca-cert.pem',
      '-CAkey',
      'ca-key.pem',
      '-days',
      '2',
    ];
    run(...sign, '-CAcreateserial', '-out', `${name}-cert.pem`, '-extfile', 'server.ext');
  }
}

describe.skipIf(!hasOpenssl)('the TLS front', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dmremap-tls-'));
  const file = (name: string): Buffer => readFileSync(join(directory, name));
  let credentials: TlsCredentials;
  let inner: Server;
  const stops: (() => Promise<void>)[] = [];
  const events: TlsFrontEvent[] = [];

  beforeAll(async () => {
    makeCertificates(directory);
    const loaded = await loadTlsCredentials(directory, true);
    if (!loaded.ok) throw new Error(loaded.error.reason);
    credentials = loaded.value;
    const innerPath = join(directory, 'inner.sock');
    inner = await serveSockets(new TestServer(), innerPath);
    const start = async (name: string, verifyPeer: boolean): Promise<void> => {
      const front = new TlsFront({
        credentials,
        verifyPeer,
        connectInner: () => connect({ path: innerPath }),
        onEvent: (event) => events.push(event),
      });
      const server = createServer((socket) => front.accept(socket)).listen(join(directory, name));
      await once(server, 'listening');
      stops.push(() => front.end(new Promise((resolve) => server.close(() => resolve()))));
    };
    await start('front.sock', false);
    await start('strict.sock', true);
  });

  afterAll(async () => {
    await Promise.all(stops.map((stop) => stop()));
    inner?.close();
    rmSync(directory, { recursive: true });
  });

  function clientOptions(name: string, tls: NbdClientOptions['tls']): NbdClientOptions {
    const options = { address: { path: join(directory, name) }, exportName: 'disk' };
    return tls === undefined ? options : { ...options, tls };
  }

  /** A plain-text client that sends bytes and gathers what comes back until the front closes or `enough` came. */
  function exchange(bytes: Uint8Array, enough: number): Promise<Buffer> {
    return new Promise((resolve) => {
      const socket: Socket = connect({ path: join(directory, 'front.sock') });
      let got = Buffer.alloc(0);
      const done = (): void => {
        socket.destroy();
        resolve(got);
      };
      socket.on('data', (chunk) => {
        got = Buffer.concat([got, chunk]);
        if (got.length >= enough) done();
      });
      socket.on('close', done);
      socket.on('error', done);
      socket.write(bytes);
    });
  }

  /** It has said hello to the server behind the front, and goes only when it wants to. */
  async function securedClient(): Promise<TLSSocket> {
    const raw = connect({ path: join(directory, 'front.sock'), allowHalfOpen: true });
    raw.write(Buffer.concat([u32(3), optionBytes(Option.startTls)]));
    for (let gotBytes = 0; gotBytes < 18 + 20; ) gotBytes += (await once(raw, 'data'))[0].length;
    const client = connectTls({ socket: raw, rejectUnauthorized: false });
    await once(client, 'secureConnect');
    return client;
  }

  function heldFor(limitMs: number): Promise<string> {
    return delay(limitMs, 'its place is held', { ref: false });
  }

  it('carries reads and writes of a client that trusts the authority', async () => {
    const tls = { ca: credentials.authority!, servername: 'localhost' };
    const client = await NbdClient.connect(clientOptions('front.sock', tls));
    const payload = Buffer.alloc(300_032, 'secret');
    await client.write(4096, payload, { fua: true });
    expect(Buffer.compare(await client.read(4096, payload.length), payload)).toBe(0);
    await client.disconnect();
    expect(events).toContainEqual({ kind: 'secured', protocol: 'TLSv1.3' });
  });

  it('speaks TLS 1.2 and nothing older', async () => {
    const tls = { ca: credentials.authority!, servername: 'localhost' };
    const client = await NbdClient.connect(clientOptions('front.sock', { ...tls, maxVersion: 'TLSv1.2' }));
    await client.disconnect();
    const old = { ...tls, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
    await expect(NbdClient.connect(clientOptions('front.sock', old))).rejects.toThrow();
  });

  it('refuses a client without a certificate where one is wanted', async () => {
    const tls = { ca: credentials.authority!, servername: 'localhost' };
    await expect(NbdClient.connect(clientOptions('strict.sock', tls))).rejects.toThrow();
    const known = { ...tls, cert: file('client-cert.pem'), key: file('client-key.pem') };
    const client = await NbdClient.connect(clientOptions('strict.sock', known));
    expect((await client.read(0, 512)).length).toBe(512);
    await client.disconnect();
  });

  it('does not keep the place of a client that never hangs up', async () => {
    const client = await securedClient();
    client.write(optionBytes(Option.abort));
    await once(client.resume(), 'end');
    const cutOff = once(client, 'error').then(() => 'cut off');
    const writing = setInterval(() => client.write('x'), 100);
    expect(await Promise.race([cutOff, heldFor(10 * SHORT_MS)])).toBe('cut off');
    clearInterval(writing);
    client.destroy();
  });

  it('does not keep the place of a client that takes no replies, but that of an idle one', async () => {
    const cutOff = new Promise((resolve) => {
      inner.once('connection', (socket) => socket.once('close', () => resolve('cut off')));
    });
    const lazy = (await securedClient()).pause();
    lazy.write(optionBytes(Option.go, infoData('disk')));
    const read = { type: Command.read, cookie: 1n, length: 1 << 16 };
    for (let count = 0; count < 100; count += 1) lazy.write(requestBytes(read));
    const idle = await securedClient();
    expect(await Promise.race([cutOff, heldFor(10 * SHORT_MS)])).toBe('cut off');
    idle.write(optionBytes(Option.list));
    expect((await once(idle, 'data'))[0].length).toBeGreaterThan(0);
    for (const client of [lazy, idle]) client.on('error', () => {}).destroy();
  });

  it('tells every option that TLS is required, and acknowledges ABORT', async () => {
    const bytes = Buffer.concat([
      u32(3),
      optionBytes(Option.list),
      optionBytes(Option.go, infoData('disk')),
      optionBytes(Option.startTls, Buffer.from('x')),
      optionBytes(Option.abort),
    ]);
    const { replies } = parseOptionReplies((await exchange(bytes, Number.POSITIVE_INFINITY)).subarray(18));
    const { tlsRequired, invalid, ack } = OptionReply;
    expect(replies.map((reply) => reply.type)).toEqual([tlsRequired, tlsRequired, invalid, ack]);
  });

  it.each([
    [
      'EXPORT_NAME in plain text',
      Buffer.concat([u32(3), optionBytes(Option.exportName, Buffer.from('disk'))]),
    ],
    [
      'plain text behind STARTTLS',
      Buffer.concat([u32(3), optionBytes(Option.startTls), optionBytes(Option.list)]),
    ],
    ['unknown client flags', Buffer.from(u32(7))],
    ['a client without fixed newstyle', Buffer.from(u32(2))],
    ['a wrong magic', Buffer.concat([u32(3), Buffer.alloc(16)])],
  ])('closes on %s without a word', async (_, bytes) => {
    expect((await exchange(bytes, Number.POSITIVE_INFINITY)).length).toBe(18);
  });

  it('says which file is missing', async () => {
    const loaded = await loadTlsCredentials('/nonexistent', false);
    expect(loaded).toMatchObject({ ok: false, error: { path: '/nonexistent/server-cert.pem' } });
  });

  it('verifies no clients without an authority: anybody that the world trusts would be let in', async () => {
    const without = mkdtempSync(join(tmpdir(), 'dmremap-tls-'));
    for (const name of ['server-cert.pem', 'server-key.pem']) writeFileSync(join(without, name), file(name));
    expect(await loadTlsCredentials(without, true)).toMatchObject({
      ok: false,
      error: { path: join(without, 'ca-cert.pem') },
    });
    expect(await loadTlsCredentials(without, false)).toMatchObject({ ok: true });
    rmSync(without, { recursive: true });
  });

  it('survives garbage where a TLS handshake belongs', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect({ path: join(directory, 'front.sock') });
      socket.on('data', () => {});
      socket.on('close', () => resolve());
      socket.on('error', () => resolve());
      socket.write(Buffer.concat([u32(3), optionBytes(Option.startTls)]));
      setTimeout(() => socket.write(Buffer.alloc(2000, 7)), 50);
    });
    const tls = { ca: credentials.authority!, servername: 'localhost' };
    const client = await NbdClient.connect(clientOptions('front.sock', tls));
    await client.disconnect();
  });
});
