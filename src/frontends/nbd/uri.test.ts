import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NbdUri, parseNbdUri, printNbdUri } from './uri.js';

function parsed(text: string): NbdUri {
  const result = parseNbdUri(text);
  if (!result.ok) throw new Error(result.error.reason);
  return result.value;
}

describe('NBD URIs', () => {
  it('reads host, port and export name', () => {
    expect(parsed('nbd://example.com').address).toEqual({ kind: 'tcp', host: 'example.com', port: 10809 });
    expect(parsed('nbd://[::1]:9000/a').address).toEqual({ kind: 'tcp', host: '::1', port: 9000 });
    expect(parsed('nbd://localhost/').exportName).toBe('');
    expect(parsed('nbd://localhost//a%20b/c').exportName).toBe('/a b/c');
  });

  it('reads unix sockets, where a plus is a plus', () => {
    const uri = parsed(
      'nbds+unix://user@/disk?socket=/run/a+b%3F&tls-certificates=/etc/pki&tls-verify-peer=false',
    );
    expect(uri).toEqual({
      address: { kind: 'unix', path: '/run/a+b?' },
      exportName: 'disk',
      tls: true,
      tlsCertificates: '/etc/pki',
      tlsVerifyPeer: false,
      tlsHostname: null,
    });
  });

  it.each([
    'http://localhost/',
    'nbd:localhost',
    'nbd+unix:///',
    'nbd+unix://host/?socket=/a',
    'nbd://localhost:99999/',
    'nbd://a:b:c/',
    'nbd://localhost/?socket=/a',
    'nbd://localhost/?tls-psk-file=/a',
    'nbd://localhost/%ff',
    'nbd://localhost/?tls-verify-peer=maybe',
    'nbd://localhost/a%00b',
  ])('refuses %s with a reason', (text) => {
    const result = parseNbdUri(text);
    expect(result).toMatchObject({ ok: false, error: { uri: text, reason: expect.stringMatching(/.{10}/) } });
  });

  it('reads back what it prints', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((value) => !value.includes('\0'));
    const address = fc.oneof(
      fc.record({ kind: fc.constant('unix' as const), path: text }),
      fc.record({
        kind: fc.constant('tcp' as const),
        host: fc.constantFrom('', 'localhost', '::1', '10.0.0.1'),
        port: fc.nat(65535),
      }),
    );
    const uri = fc.record({
      address,
      exportName: text,
      tls: fc.boolean(),
      tlsCertificates: fc.option(text),
      tlsVerifyPeer: fc.option(fc.boolean()),
      tlsHostname: fc.option(text),
    });
    fc.assert(
      fc.property(uri, (value) => {
        expect(parsed(printNbdUri(value))).toEqual(value);
      }),
    );
  });
});
