import { mkdtempSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bind, close, socket } from './ffi.js';
import { notifyServiceManager } from './service-notification.js';
import { AF_UNIX, encodeAbstractAddress, encodeUnixAddress } from './socket-address.js';

let directory: string;
const openSockets: number[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dm-remap-notify-'));
});

afterEach(() => {
  for (const fd of openSockets.splice(0)) close(fd);
  rmSync(directory, { recursive: true });
});

describe('notifying the service manager', () => {
  it('sends all variables in one datagram to a socket file', () => {
    const path = join(directory, 'notify');
    const receive = receiver(encodeUnixAddress(path)!);
    expect(notifyServiceManager(path, ['READY=1', 'STATUS=serving ä'])).toEqual({ ok: true });
    expect(receive()).toBe('READY=1\nSTATUS=serving ä');
  });

  it('sends to an abstract name of exactly its length', () => {
    const name = `dm-remap-test-${process.pid}`;
    const receive = receiver(encodeAbstractAddress(name)!);
    expect(notifyServiceManager(`@${name}`, ['STOPPING=1'])).toEqual({ ok: true });
    expect(receive()).toBe('STOPPING=1');
    expect(notifyServiceManager(`@${name}x`, ['STOPPING=1'])).toMatchObject({
      error: { reason: 'ECONNREFUSED' },
    });
  });

  it('says why it could not', () => {
    const path = join(directory, 'nobody');
    expect(notifyServiceManager(path, ['READY=1'])).toEqual({
      ok: false,
      error: { socketName: path, reason: 'ENOENT' },
    });
    for (const name of ['relative', '@', 'vsock:2:9', `/${'x'.repeat(107)}`]) {
      expect(notifyServiceManager(name, ['READY=1'])).toMatchObject({
        error: { reason: 'neither a path nor an abstract name' },
      });
    }
  });
});

/** A datagram socket bound there; the returned function reads what has come in. */
function receiver(address: Uint8Array): () => string {
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  openSockets.push(fd);
  expect(bind(fd, address)).toBe(0);
  const buffer = Buffer.alloc(1000);
  return () => buffer.toString('utf8', 0, readSync(fd, buffer));
}

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
