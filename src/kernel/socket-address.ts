import { isIPv4, isIPv6 } from 'node:net';

/** Where to listen. `host` is an IPv4 or IPv6 literal; port 0 lets the kernel choose. */
export type SocketAddress = UnixAddress | TcpAddress;

export interface UnixAddress {
  readonly kind: 'unix';
  readonly path: string;
}

export interface TcpAddress {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** `/run/x.sock`, `127.0.0.1:10809`, `[::1]:10809`. */
export function socketAddressText(address: SocketAddress): string {
  if (address.kind === 'unix') return address.path;
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The struct sockaddr_un; undefined when the path does not fit (107 bytes, bits/un.h) or is empty. */
export function encodeUnixAddress(path: string): Uint8Array | undefined {
  const pathBytes = Buffer.from(path);
  if (pathBytes.byteLength === 0 || pathBytes.byteLength > UNIX_PATH_BYTES_MAX) return undefined;
  if (pathBytes.includes(0)) return undefined;
  const encoded = new Uint8Array(2 + pathBytes.byteLength + 1);
  new DataView(encoded.buffer).setUint16(0, AF_UNIX, true);
  encoded.set(pathBytes, 2);
  return encoded;
}

/**
 * The struct sockaddr_un of a name in the kernel's abstract namespace (unix(7)): a zero byte, then the name without an
 * end mark. Undefined when it does not fit (107 bytes) or is empty.
 */
export function encodeAbstractAddress(name: string): Uint8Array | undefined {
  const nameBytes = Buffer.from(name);
  if (nameBytes.byteLength === 0 || nameBytes.byteLength > UNIX_PATH_BYTES_MAX) return undefined;
  const encoded = new Uint8Array(3 + nameBytes.byteLength);
  new DataView(encoded.buffer).setUint16(0, AF_UNIX, true);
  encoded.set(nameBytes, 3);
  return encoded;
}

/** The struct sockaddr_in or sockaddr_in6; undefined for a host that is not a literal. IPv6 zones are not known here. */
export function encodeTcpAddress({ host, port }: TcpAddress): Uint8Array | undefined {
  if (isIPv4(host)) return encodeIPv4(host, port);
  if (isIPv6(host) && !host.includes('%')) return encodeIPv6(host, port);
  return undefined;
}

/** The port in a struct sockaddr_in or sockaddr_in6. */
export function encodedPort(encoded: Uint8Array): number {
  return encoded[2]! * 256 + encoded[3]!;
}

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

const UNIX_PATH_BYTES_MAX = 107;

function encodeIPv4(host: string, port: number): Uint8Array {
  const encoded = new Uint8Array(16);
  const view = new DataView(encoded.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  encoded.set(host.split('.').map(Number), 4);
  return encoded;
}

function encodeIPv6(host: string, port: number): Uint8Array {
  const encoded = new Uint8Array(28);
  const view = new DataView(encoded.buffer);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port);
  const [left = '', right] = host.split('::');
  const leftGroups = groupsOf(left);
  const rightGroups = right === undefined ? [] : groupsOf(right);
  leftGroups.forEach((group, index) => {
    view.setUint16(8 + index * 2, group);
  });
  rightGroups.forEach((group, index) => {
    view.setUint16(24 - rightGroups.length * 2 + index * 2, group);
  });
  return encoded;
}

/** The 16-bit groups of one side of `::`; the last may be an IPv4 address, which is two. */
function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
