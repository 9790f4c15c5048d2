import { listeningPlace } from '../frontends/nbd/listening-place.js';
import { type NbdUri, parseNbdUri } from '../frontends/nbd/uri.js';
import { DmRemapError } from '../library/errors.js';
import type { RunArguments } from './run.js';
import { checkSocketPlace } from './socket-place.js';

/** Before a device is opened: there is a place to serve at, every URI can be understood, and the TLS options fit them. */
export function checkEndpoints(args: RunArguments): void {
  const { device, nbd, tls } = args;
  if (device.ublk !== undefined && device.io === 'portable')
    throw new DmRemapError('usage', '--ublk needs io_uring: leave out --io portable');
  if (nbd.length === 0 && device.ublk === undefined) {
    const example =
      '--ublk (a block device on this machine), --nbd "nbd+unix:///?socket=/run/dm-remap.sock" or --nbd nbd://127.0.0.1:10809/';
    throw new DmRemapError('usage', `say where to serve the device, for example ${example}`);
  }
  const uris = nbd.map((text) => checkedUri(text, args));
  refuseTwice(nbd, uris);
  if (!uris.some((uri) => uri.tls)) refuseTls(tls, uris.length > 0);
}

/** Who gives them wants encryption, and would not hear that there is none. A block device alone needs none. */
function refuseTls({ verifyClients, tlsDirectory }: RunArguments['tls'], isClearText: boolean): void {
  if (verifyClients === true)
    throw new DmRemapError('usage', '--verify-clients works for nbds URIs only; there is none');
  if (tlsDirectory !== undefined && isClearText)
    throw new DmRemapError(
      'usage',
      `--tls-dir ${tlsDirectory}: works for nbds URIs only, and there is none; write nbds: instead of nbd:, or leave it out`,
    );
}

function checkedUri(text: string, { device, tls }: RunArguments): NbdUri {
  const uri = parseNbdUri(text);
  if (!uri.ok) throw new DmRemapError('usage', `${text}: ${uri.error.reason}`);
  if (uri.value.tls && tls.tlsDirectory === undefined && uri.value.tlsCertificates === null)
    throw new DmRemapError('usage', `${text}: needs certificates; give their directory with --tls-dir`);
  if (uri.value.address.kind === 'unix') checkSocketPlace(uri.value.address.path, device);
  return uri.value;
}

/** The second could not listen there, and the set would go when it is served already. */
function refuseTwice(texts: readonly string[], uris: readonly NbdUri[]): void {
  const places = uris.map(({ address }) => listeningPlace(address));
  const again = places.findIndex((place, index) => place !== undefined && places.indexOf(place) !== index);
  if (again !== -1)
    throw new DmRemapError('usage', `${texts[again]}: ${places[again]} is named twice; serve there once`);
}
