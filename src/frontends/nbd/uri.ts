import { failed, ok, type Result } from '../../base/result.js';
import { DEFAULT_PORT, MAX_STRING_BYTES } from './protocol.js';

export type NbdAddress =
  | { readonly kind: 'unix'; readonly path: string }
  /** `host` is a name or an address, IPv6 without brackets; '' is this machine. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** An NBD URI (doc/uri.md of the NBD project) with the parameters libnbd knows. */
export interface NbdUri {
  readonly address: NbdAddress;
  readonly exportName: string;
  /** TLS must succeed (`nbds`, `nbds+unix`). */
  readonly tls: boolean;
  /** `tls-certificates`: directory with the PEM files. */
  readonly tlsCertificates: string | null;
  /** `tls-verify-peer`; null where not said. */
  readonly tlsVerifyPeer: boolean | null;
  /** `tls-hostname`: whose certificate is expected. */
  readonly tlsHostname: string | null;
}

export interface NbdUriFailure {
  readonly uri: string;
  /** One clause: what is wrong and what is allowed. */
  readonly reason: string;
}

const SHAPE = /^([a-z+]+):\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i;
const KNOWN = ['socket', 'tls-certificates', 'tls-verify-peer', 'tls-hostname'];

export function parseNbdUri(text: string): Result<NbdUri, NbdUriFailure> {
  const fail = (reason: string): Result<NbdUri, NbdUriFailure> => failed({ uri: text, reason });
  const match = SHAPE.exec(text);
  const scheme = match?.[1]?.toLowerCase() ?? '';
  if (!match || !['nbd', 'nbds', 'nbd+unix', 'nbds+unix'].includes(scheme)) {
    return fail('expected nbd://HOST[:PORT]/NAME or nbd+unix:///NAME?socket=PATH (nbds for TLS)');
  }
  const exportName = decode((match[3] ?? '').replace(/^\//, ''));
  const query = parseQuery(match[4] ?? '');
  if (exportName === null || exportName.includes('\0')) return fail('the export name is not valid text');
  if (Buffer.byteLength(exportName) > MAX_STRING_BYTES)
    return fail('the export name is longer than 4096 bytes');
  if (query === null) return fail('the part behind ? is not valid text');
  const unknown = [...query.keys()].find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) return fail(`unknown parameter ${unknown}; known are ${KNOWN.join(', ')}`);
  const authority = match[2] ?? '';
  const address = scheme.endsWith('+unix') ? unixAddress(authority, query) : tcpAddress(authority, query);
  if (typeof address === 'string') return fail(address);
  const tlsVerifyPeer = parseBoolean(query.get('tls-verify-peer'));
  if (tlsVerifyPeer === undefined) return fail('tls-verify-peer must be true or false');
  return ok({
    address,
    exportName,
    tls: scheme.startsWith('nbds'),
    tlsCertificates: query.get('tls-certificates') ?? null,
    tlsVerifyPeer,
    tlsHostname: query.get('tls-hostname') ?? null,
  });
}

/** The URI in its shortest form; `parseNbdUri` gives the same value back. */
export function printNbdUri(uri: NbdUri): string {
  const { address } = uri;
  const scheme = `${uri.tls ? 'nbds' : 'nbd'}${address.kind === 'unix' ? '+unix' : ''}`;
  const authority = address.kind === 'unix' ? '' : printHost(address.host, address.port);
  const path = `/${encodePath(uri.exportName)}`;
  const parameters: [string, string | null][] = [
    ['socket', address.kind === 'unix' ? address.path : null],
    ['tls-certificates', uri.tlsCertificates],
    ['tls-verify-peer', uri.tlsVerifyPeer === null ? null : String(uri.tlsVerifyPeer)],
    ['tls-hostname', uri.tlsHostname],
  ];
  const query = parameters.flatMap(([key, value]) => (value === null ? [] : [`${key}=${encodePath(value)}`]));
  return `${scheme}://${authority}${path}${query.length > 0 ? `?${query.join('&')}` : ''}`;
}

/** The address, or what is wrong with it. A user name (`nbds+unix://user@/`) names a PSK and is not used here. */
function unixAddress(authority: string, query: Map<string, string>): NbdAddress | string {
  const path = query.get('socket');
  if (authority.replace(/^[^@]*@/, '') !== '') return 'a unix URI has no host: nbd+unix:///NAME?socket=PATH';
  if (path === undefined || path === '') return 'a unix URI needs ?socket=PATH';
  return { kind: 'unix', path };
}

function tcpAddress(authority: string, query: Map<string, string>): NbdAddress | string {
  if (query.has('socket')) return 'socket= belongs to nbd+unix';
  const match = /^(?:[^@]*@)?(?:\[([0-9a-f:.]+)\]|([^:[\]]*))(?::(\d*))?$/i.exec(authority);
  if (!match) return 'expected HOST, HOST:PORT or [IPV6]:PORT';
  const host = decode(match[1] ?? match[2] ?? '');
  const port = match[3] ? Number(match[3]) : DEFAULT_PORT;
  if (host === null) return 'the host is not valid text';
  return port <= 65535 ? { kind: 'tcp', host, port } : 'the port must be at most 65535';
}

function parseQuery(text: string): Map<string, string> | null {
  const query = new Map<string, string>();
  for (const part of text.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    const key = decode(at === -1 ? part : part.slice(0, at));
    const value = decode(at === -1 ? '' : part.slice(at + 1));
    if (key === null || value === null) return null;
    query.set(key, value);
  }
  return query;
}

/** Undefined when it is neither yes nor no nor absent. */
function parseBoolean(text: string | undefined): boolean | null | undefined {
  if (text === undefined) return null;
  if (['true', '1', 'yes', 'on'].includes(text)) return true;
  return ['false', '0', 'no', 'off'].includes(text) ? false : undefined;
}

/** Null when the percent encoding is broken: `decodeURIComponent` has no other way to say so. */
function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function encodePath(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/');
}

function printHost(host: string, port: number): string {
  const printed = host.includes(':') ? `[${host}]` : encodeURIComponent(host);
  return port === DEFAULT_PORT ? printed : `${printed}:${port}`;
}
