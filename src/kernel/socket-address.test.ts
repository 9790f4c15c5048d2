import { expect, test } from 'vitest';
import { encodedPort, encodeTcpAddress, encodeUnixAddress, socketAddressText } from './socket-address.js';

function hexOf(host: string): string | undefined {
  const encoded = encodeTcpAddress({ kind: 'tcp', host, port: 10809 });
  return encoded && Buffer.from(encoded).toString('hex');
}

test('IPv4 literals become a sockaddr_in', () => {
  expect(hexOf('127.0.0.1')).toBe('02002a397f0000010000000000000000');
});

test('IPv6 literals become a sockaddr_in6, wherever the zeroes are left out', () => {
  const sockaddr = (address: string) => `0a002a3900000000${address}00000000`;
  expect(hexOf('::')).toBe(sockaddr('00000000000000000000000000000000'));
  expect(hexOf('::1')).toBe(sockaddr('00000000000000000000000000000001'));
  expect(hexOf('fe80::')).toBe(sockaddr('fe800000000000000000000000000000'));
  expect(hexOf('2001:db8::8:800:200c:417a')).toBe(sockaddr('20010db80000000000080800200c417a'));
  expect(hexOf('1:2:3:4:5:6:7:8')).toBe(sockaddr('00010002000300040005000600070008'));
  expect(hexOf('::ffff:192.0.2.128')).toBe(sockaddr('00000000000000000000ffffc0000280'));
});

test('host names and zones are not literals', () => {
  expect(hexOf('localhost')).toBeUndefined();
  expect(hexOf('fe80::1%eth0')).toBeUndefined();
  expect(hexOf('')).toBeUndefined();
});

test('the port is read back', () => {
  expect(encodedPort(encodeTcpAddress({ kind: 'tcp', host: '::1', port: 65535 })!)).toBe(65535);
});

test('a unix path has room for 107 bytes, counted in UTF-8', () => {
  expect(encodeUnixAddress('x'.repeat(107))?.byteLength).toBe(110);
  expect(encodeUnixAddress('x'.repeat(108))).toBeUndefined();
  expect(encodeUnixAddress('ä'.repeat(54))).toBeUndefined();
  expect(encodeUnixAddress('')).toBeUndefined();
  expect(encodeUnixAddress('a\0b')).toBeUndefined();
});

test('addresses are written as people write them', () => {
  expect(socketAddressText({ kind: 'unix', path: '/run/a.sock' })).toBe('/run/a.sock');
  expect(socketAddressText({ kind: 'tcp', host: '127.0.0.1', port: 1 })).toBe('127.0.0.1:1');
  expect(socketAddressText({ kind: 'tcp', host: '::1', port: 1 })).toBe('[::1]:1');
});
