import { lookup } from 'node:dns/promises';
import { isIP, Socket } from 'node:net';
import { loadTlsCredentials } from '../frontends/nbd/tls-credentials.js';
import { TlsFront } from '../frontends/nbd/tls-front.js';
import type { NbdUri } from '../frontends/nbd/uri.js';
import { parseNbdUri, printNbdUri } from '../frontends/nbd/uri.js';
import { close as closeFd } from '../kernel/ffi.js';
import { listenFailureText } from '../kernel/listener.js';
import type { SocketAddress } from '../kernel/socket-address.js';
import { socketPair } from '../kernel/socket-pair.js';
import { serveSockets } from '../kernel/socket-server.js';
import type { Listening } from '../runtime/messages.js';
import { notice } from '../runtime/notice.js';
import type { DeviceNotice, NbdEndpoint, ServeNbdOptions } from './device-types.js';
import { DmRemapError } from './errors.js';
import type { ThreadClient } from './thread-client.js';

/** Starts to serve a device at an NBD URI. Plain URIs are served by the device thread itself. */
export async function serveNbd(
  client: ThreadClient,
  text: string,
  options: ServeNbdOptions,
  tell: (notice: DeviceNotice) => void,
): Promise<NbdEndpoint> {
  const parsed = parseNbdUri(text);
  if (!parsed.ok) throw new DmRemapError('usage', `${parsed.error.uri}: ${parsed.error.reason}`);
  const uri = { ...parsed.value, address: await localAddress(parsed.value.address) };
  return uri.tls ? await serveTls(client, uri, options, tell) : await servePlain(client, uri);
}

async function servePlain(client: ThreadClient, uri: NbdUri): Promise<NbdEndpoint> {
  const { address, exportName } = uri;
  const listening = (await client.call({
    verb: 'listen',
    address: address as SocketAddress,
    exportName,
  })) as Listening;
  const { listenerId } = listening;
  return {
    uri: printNbdUri({ ...uri, address: listening.address }),
    stop: async () => {
      await client.call({ verb: 'unlisten', listenerId });
    },
  };
}

/** TLS ends in this thread; the device thread sees one plain connection per client. */
async function serveTls(
  client: ThreadClient,
  uri: NbdUri,
  options: ServeNbdOptions,
  tell: (notice: DeviceNotice) => void,
): Promise<NbdEndpoint> {
  const directory = options.tlsDirectory ?? uri.tlsCertificates;
  if (directory === null) {
    throw new DmRemapError(
      'usage',
      `${printNbdUri(uri)}: needs certificates; name their directory with --tls-dir`,
    );
  }
  const verifyPeer = options.verifyClients ?? uri.tlsVerifyPeer ?? false;
  const credentials = await loadTlsCredentials(directory, verifyPeer);
  if (!credentials.ok)
    throw new DmRemapError('usage', `${credentials.error.path}: ${credentials.error.reason}`);
  const front = new TlsFront({
    credentials: credentials.value,
    verifyPeer,
    connectInner: () => connectInner(client, uri.exportName),
    // What comes of those who are let in, the device thread tells.
    onEvent: (event) => event.kind === 'refused' && tell(refusedNotice(event.reason)),
  });
  // A server that takes no connection for a moment, for want of descriptors, takes the next one.
  const listening = await serveSockets(
    uri.address,
    {},
    (socket) => front.accept(socket),
    (problem) => tell(notice('warn', 'listenerProblem', problem, {})),
  );
  if (!listening.ok) throw new DmRemapError('system', listenFailureText(listening.error));
  const { address } = listening.value;
  const stop = (): Promise<void> => front.end(new Promise((resolve) => listening.value.close(resolve)));
  return { uri: printNbdUri({ ...uri, address }), stop };
}

function refusedNotice(reason: string): DeviceNotice {
  return notice('warn', 'client.refused', `NBD client refused: ${reason}`, { reason });
}

/** One end of a socket pair; the other is the device thread's. */
function connectInner(client: ThreadClient, exportName: string): Socket {
  const pair = socketPair();
  if (!pair.ok) throw new DmRemapError('system', `no socket pair (errno ${pair.error})`);
  const [ours, theirs] = pair.value;
  const socket = new Socket({ fd: ours, readable: true, writable: true });
  client.call({ verb: 'adopt', fd: theirs, exportName }).catch((error: unknown) => {
    // A thread that is there has taken the descriptor over, whatever it answered.
    if (client.isGone) closeFd(theirs);
    socket.destroy(error instanceof Error ? error : undefined);
  });
  return socket;
}

/** Host names are resolved here; '' is this machine only, never all addresses. */
async function localAddress(address: NbdUri['address']): Promise<NbdUri['address']> {
  if (address.kind === 'unix' || isIP(address.host) !== 0) return address;
  if (address.host === '') return { ...address, host: '127.0.0.1' };
  try {
    return { ...address, host: (await lookup(address.host)).address };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DmRemapError(
      'usage',
      `${address.host}: no such host (${code}); give an address of this machine`,
    );
  }
}
