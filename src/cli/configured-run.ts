import type { ConfiguredSet } from '../configuration/read-configuration.js';
import type { UblkOptions } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import { formatSettingValue } from '../settings/setting-kind.js';
import { type SettingKey, settingOf } from '../settings/setting-table.js';
import { describePlace, loadConfiguration } from './configuration.js';
import type { RunArguments } from './run.js';

/** What `dmremap run` was asked for; where a set is named, the configuration has what is left out. */
export interface RunRequest extends Omit<RunArguments, 'device'> {
  readonly set: string | undefined;
  readonly config: string | undefined;
  readonly device: Omit<RunArguments['device'], 'main'> & { readonly main: string | undefined };
}

/** Options beat the configuration, which beats what is kept on the spares. Without a set nothing is read. */
export async function completeRun(request: RunRequest, directory: string): Promise<RunArguments> {
  const { set: name, config, ...own } = request;
  if (name === undefined) {
    if (config !== undefined) throw new DmRemapError('usage', '--config needs the name of a set');
    return withDevices(own, 'name a set of the configuration, or give --main and --spare');
  }
  const place = { file: config, directory };
  const configured = (await loadConfiguration(place)).sets.get(name);
  const missing = `${name}: is no set in ${describePlace(place)}; describe it there, or give --main and --spare`;
  return withDevices(configured === undefined ? own : merge(own, name, configured), missing);
}

type OwnOptions = Omit<RunRequest, 'set' | 'config'>;

function withDevices(own: OwnOptions, missing: string): RunArguments {
  const { main, spares } = own.device;
  if (main === undefined || spares.length === 0) throw new DmRemapError('usage', missing);
  return { ...own, device: { ...own.device, main } };
}

function merge(own: OwnOptions, name: string, set: ConfiguredSet): OwnOptions {
  const { device, tls } = own;
  const { frontends = {} } = set;
  return {
    ...own,
    name: own.name ?? set.name ?? name,
    nbd: own.nbd.length > 0 ? own.nbd : (frontends.nbd ?? []),
    tls: {
      tlsDirectory: tls.tlsDirectory ?? (isClearText(own.nbd) ? undefined : frontends.tls_directory),
      verifyClients: tls.verifyClients ?? frontends.verify_clients,
    },
    device: {
      ...device,
      main: device.main ?? set.main,
      spares: device.spares.length > 0 ? device.spares : set.spares,
      archive: device.archive ?? set.archive,
      ublk: ublkOf(device.ublk, frontends.ublk),
      settings: { ...inputsOf(set), ...device.settings },
    },
  };
}

/** Whoever serves elsewhere this time, without TLS, does not mean the certificates of the file. */
function isClearText(nbd: readonly string[]): boolean {
  return nbd.length > 0 && nbd.every((text) => /^nbd[:+]/i.test(text));
}

function ublkOf(
  own: UblkOptions | undefined,
  configured: NonNullable<ConfiguredSet['frontends']>['ublk'],
): UblkOptions | undefined {
  if (configured === undefined || configured === false) return own;
  const { queues, depth } = configured === true ? {} : configured;
  return { ...own, queueCount: own?.queueCount ?? queues, depth: own?.depth ?? depth };
}

function inputsOf({ settings }: ConfiguredSet): NonNullable<RunArguments['device']['settings']> {
  const entries = Object.entries(settings).map(([key, { value, givenBy }]) => [
    key,
    { value: formatSettingValue(settingOf(key as SettingKey).kind, value), givenBy },
  ]);
  return Object.fromEntries(entries);
}
