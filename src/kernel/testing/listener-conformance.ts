import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assert } from '../../base/assert.js';
import type { Result } from '../../base/result.js';
import { type ByteStream, SegmentList } from '../../ports/byte-stream.js';
import { close } from '../ffi.js';
import { type Listener, type ListenerEvents, type ListenFailure, listenFailureText } from '../listener.js';
import { openListeningSocket } from '../listening-socket.js';
import type { SocketAddress } from '../socket-address.js';
import { RecordingSink } from './recording-sink.js';

/** One implementation with its loop. */
export interface ListenerHarness {
  listen(address: SocketAddress, events: ListenerEvents): Promise<Result<Listener, ListenFailure>>;
  /** One turn of the loop and of Node's. */
  turn(): Promise<void>;
  /** After all listeners and streams have closed. */
  close(): void;
}

/** What every listener must do. */
export function listenerConformance(name: string, makeHarness: () => ListenerHarness): void {
  describe(`${name} as a listener`, () => {
    let scene: ListenerScene;
    beforeEach(() => {
      scene = new ListenerScene(makeHarness());
    });
    afterEach(() => scene.end());
    for (const [title, run] of Object.entries(CASES)) test(title, () => run(scene));
  });
}

const CASES: Record<string, (scene: ListenerScene) => Promise<void>> = {
  'connections to a unix socket become streams': async (scene) => {
    await scene.listen(scene.unixAddress());
    await scene.expectEcho(scene.unixAddress());
  },

  'port 0 becomes a real port': async (scene) => {
    const { address } = await scene.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    assert(address.kind === 'tcp', 'not TCP');
    expect(address.port).toBeGreaterThan(0);
    expect(address.host).toBe('127.0.0.1');
    await scene.expectEcho(address);
  },

  'the kernel asks now and then whether the machine of an idle client is still there': async (scene) => {
    const { address } = await scene.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    assert(address.kind === 'tcp', 'not TCP');
    scene.connect(address);
    await scene.settle(() => scene.sinks.length === 1);
    expect(timersOfConnections(address.port)).toEqual([KEEP_ALIVE_TIMER]);
  },

  'many connections at once are all taken': async (scene) => {
    await scene.listen(scene.unixAddress());
    for (let index = 0; index < 40; index += 1) scene.connect(scene.unixAddress());
    await scene.settle(() => scene.sinks.length === 40);
    expect(scene.sinks.length).toBe(40);
  },

  'a socket file left by a killed server is replaced': async (scene) => {
    const left = openListeningSocket(scene.unixAddress());
    assert(left.ok, 'cannot listen');
    close(left.value.fd);
    expect(existsSync(scene.path)).toBe(true);
    await scene.listen(scene.unixAddress());
    await scene.expectEcho(scene.unixAddress());
  },

  'a socket file of a living server is left alone': async (scene) => {
    await scene.listen(scene.unixAddress());
    await scene.expectRefusal(scene.unixAddress(), 'inUse', /another program listens there/);
    await scene.expectEcho(scene.unixAddress());
  },

  'a port that is taken is refused': async (scene) => {
    const { address } = await scene.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    await scene.expectRefusal(address, 'inUse', /127\.0\.0\.1:\d+: another program listens there/);
  },

  'a file that is no socket is refused and kept': async (scene) => {
    writeFileSync(scene.path, 'precious');
    await scene.expectRefusal(scene.unixAddress(), 'notASocket', /not a socket/);
    expect(existsSync(scene.path)).toBe(true);
  },

  'a missing directory, a long path and a wrong host are told apart': async (scene) => {
    await scene.expectRefusal(
      { kind: 'unix', path: join(scene.path, 'a', 'b') },
      'noDirectory',
      /does not exist/,
    );
    await scene.expectRefusal({ kind: 'unix', path: `/tmp/${'x'.repeat(120)}` }, 'pathTooLong', /107 bytes/);
    await scene.expectRefusal(
      { kind: 'tcp', host: '192.0.2.1', port: 0 },
      'notLocal',
      /does not have that address/,
    );
  },

  'close removes the socket file and leaves existing connections alone': async (scene) => {
    const listener = await scene.listen(scene.unixAddress());
    const client = scene.connect(scene.unixAddress());
    await scene.settle(() => scene.sinks.length === 1);
    let isClosed = false;
    listener.close(() => {
      isClosed = true;
    });
    expect(isClosed).toBe(false);
    await scene.settle(() => isClosed);
    expect(isClosed).toBe(true);
    expect(existsSync(scene.path)).toBe(false);
    client.write('still here');
    await scene.settle(() => scene.sinks[0]!.receivedResults.length === 1);
    expect(scene.sinks[0]!.receivedResults).toEqual([10]);
  },

  'close leaves a socket file alone that has taken the place of its own': async (scene) => {
    const first = await scene.listen(scene.unixAddress());
    rmSync(scene.path);
    await scene.listen(scene.unixAddress());
    let isClosed = false;
    first.close(() => {
      isClosed = true;
    });
    await scene.settle(() => isClosed);
    await scene.expectEcho(scene.unixAddress());
  },

  'the same path can be listened on again after close': async (scene) => {
    const first = await scene.listen(scene.unixAddress());
    let isClosed = false;
    first.close(() => {
      isClosed = true;
    });
    await scene.settle(() => isClosed);
    await scene.listen(scene.unixAddress());
    await scene.expectEcho(scene.unixAddress());
  },
};

/** What the kernel waits for on each connection that was made to this port of this machine. */
function timersOfConnections(port: number): string[] {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ownAddress, , state]) => ownAddress === local && state === ESTABLISHED)
    .map(([, , , , , timer]) => timer!.slice(0, 2));
}

/** proc(5), /proc/net/tcp, and include/net/tcp_states.h. */
const ESTABLISHED = '01';
const KEEP_ALIVE_TIMER = '02';

/** A directory for sockets, and everything to be cleaned up. Every stream receives once, to the start of the memory. */
export class ListenerScene {
  readonly path: string;
  readonly sinks: RecordingSink[] = [];
  readonly problems: string[] = [];
  private readonly harness: ListenerHarness;
  private readonly directory = mkdtempSync(join(tmpdir(), 'dmremap-'));
  private readonly listeners: Listener[] = [];
  private readonly clients: Socket[] = [];

  constructor(harness: ListenerHarness) {
    this.harness = harness;
    this.path = join(this.directory, 'nbd.sock');
  }

  unixAddress(): SocketAddress {
    return { kind: 'unix', path: this.path };
  }

  async listen(address: SocketAddress): Promise<Listener> {
    const listened = await this.tryListen(address);
    assert(listened.ok, listened.ok ? '' : listenFailureText(listened.error));
    this.listeners.push(listened.value);
    return listened.value;
  }

  async expectRefusal(address: SocketAddress, kind: ListenFailure['kind'], text: RegExp): Promise<void> {
    const listened = await this.tryListen(address);
    assert(!listened.ok, 'listens');
    expect(listened.error.kind).toBe(kind);
    expect(listenFailureText(listened.error)).toMatch(text);
  }

  connect(address: SocketAddress): Socket {
    const client = createConnection(address.kind === 'unix' ? { path: address.path } : address);
    client.on('error', () => client.destroy());
    this.clients.push(client);
    return client;
  }

  /** A new client gets back what it sends. */
  async expectEcho(address: SocketAddress): Promise<void> {
    const client = this.connect(address);
    let answer = '';
    client.on('data', (chunk) => {
      answer += chunk.toString();
    });
    client.write('hello');
    // Not simply the newest stream: whoever asks whether this server lives is a connection too.
    const hasHello = (sink: RecordingSink) => sink.receivedResults[0] === 5;
    await this.settle(() => this.sinks.some(hasHello));
    const echo = new SegmentList(1);
    echo.push(0, 5);
    this.sinks.find(hasHello)?.send(echo);
    await this.settle(() => answer.length === 5);
    expect(answer).toBe('hello');
  }

  async settle(done: () => boolean): Promise<void> {
    for (let turn = 0; turn < 500 && !done(); turn += 1) await this.harness.turn();
  }

  async end(): Promise<void> {
    for (const listener of this.listeners) listener.close(() => {});
    for (const sink of this.sinks) sink.close();
    for (const client of this.clients) client.destroy();
    await this.settle(() => this.sinks.every((sink) => sink.closedCount === 1));
    for (let turn = 0; turn < 5; turn += 1) await this.harness.turn();
    expect(this.sinks.filter((sink) => sink.closedCount !== 1)).toEqual([]);
    this.harness.close();
    rmSync(this.directory, { recursive: true });
  }

  private tryListen(address: SocketAddress): Promise<Result<Listener, ListenFailure>> {
    return this.harness.listen(address, {
      onConnection: (stream: ByteStream) => {
        const sink = new RecordingSink(stream);
        this.sinks.push(sink);
        sink.receive(0, 100);
      },
      onProblem: (message) => this.problems.push(message),
    });
  }
}
