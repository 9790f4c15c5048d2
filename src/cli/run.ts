import { setTimeout as delay } from 'node:timers/promises';
import type { ControlServer } from '../control/control-server.js';
import { EventHistory } from '../control/event-history.js';
import type { ServedSet } from '../control/served-set.js';
import { parseNbdUri } from '../frontends/nbd/uri.js';
import type {
  DeviceNotice,
  OpenDeviceOptions,
  ProtectedDevice,
  ServeNbdOptions,
  UblkEndpoint,
} from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { type Log, logNotice, openLog } from './log.js';
import type { LogLevel } from './log-level.js';
import { formatSize } from './sizes.js';
import type { StopSignal } from './stop-signals.js';

export interface RunArguments {
  readonly device: Omit<OpenDeviceOptions, 'onEvent'>;
  /** NBD URIs to serve at; one at least, unless a block device is asked for. */
  readonly nbd: readonly string[];
  readonly tls: ServeNbdOptions;
  readonly logLevel: LogLevel;
}

/**
 * `dmremap run`: serves a protected device until a signal asks it to stop or to hand over. `unguarded`: what a process
 * that memory depends on should have and this one could not get.
 */
export async function run(
  args: RunArguments,
  unguarded: readonly string[],
  context: CliContext,
): Promise<number> {
  checkEndpoints(args);
  const log = await openLog(context.err, args.logLevel);
  if (unguarded.length > 0)
    log.warn(
      { event: 'unguarded', unguarded },
      `memory pressure may stall the device: ${unguarded.join(', ')}`,
    );
  const firstSignal = context.stopSignals.next();
  const events = new EventHistory(Date.now);
  const onEvent = (notice: DeviceNotice): void => {
    logNotice(log, notice);
    events.add(notice);
  };
  const archive = args.device.archive ?? context.serviceManager.stateDirectory;
  const device = await context.library.openDevice({ ...args.device, archive, onEvent });
  let end: End = 'failed';
  let control: ControlServer | undefined;
  try {
    const { name, setId, sizeBytes, io } = device.info;
    log.info(
      { event: 'opened', setId, sizeBytes, io },
      `opened ${name || setId}: ${formatSize(sizeBytes)}, ${io} I/O`,
    );
    if (device.ublk !== undefined) logBlockDevice(log, device.ublk);
    const nbdUris = await serve(device, args, context);
    await tell(context, log, 'READY=1', `STATUS=serving ${name || setId}`);
    control = await openControl({ device, events, nbdUris: () => nbdUris }, context, log);
    end = await untilTold(device, firstSignal, context, log);
    await tell(context, log, 'STOPPING=1', `STATUS=${end === 'handedOver' ? 'handing over' : 'stopping'}`);
  } finally {
    await control?.close();
    if (end === 'failed' && isInUse(device)) {
      log.error(
        { event: 'left', path: device.ublk?.path },
        `${device.ublk?.path} is in use and stays: its I/O waits until the set is run again`,
      );
      end = 'handedOver';
    }
    await (end === 'handedOver' ? device.handOver() : device.close());
  }
  log.info({ event: end }, end === 'handedOver' ? 'handed over' : 'stopped cleanly');
  return EXIT_STATUS.done;
}

/** A service manager that can't be reached is no reason to stop serving. */
async function tell(context: CliContext, log: Log, ...variables: string[]): Promise<void> {
  const problem = await context.serviceManager.tell(...variables);
  if (problem !== undefined) log.warn({ event: 'notTold' }, problem);
}

/** After everything else: who uses the device does not wait for it, and it is served without it, too. */
async function openControl(
  set: Omit<ServedSet, 'programVersion' | 'startedSeconds'>,
  context: CliContext,
  log: Log,
): Promise<ControlServer | undefined> {
  if (context.runDirectory === undefined) {
    log.warn({ event: 'noControl' }, 'no control socket: set XDG_RUNTIME_DIR to a directory of yours');
    return undefined;
  }
  const { serveControl } = await import('../control/control-server.js');
  const startedSeconds = Math.floor(Date.now() / 1000);
  const whole = { ...set, programVersion: context.version, startedSeconds };
  const control = await serveControl(whole, context.runDirectory);
  if (control.ok) return control.value;
  log.warn({ event: 'noControl' }, control.error);
  return undefined;
}

/** `ready PATH` or `ready URI` on standard output means that clients can connect there. Answers the URIs. */
async function serve(device: ProtectedDevice, args: RunArguments, context: CliContext): Promise<string[]> {
  const uris: string[] = [];
  if (device.ublk !== undefined) context.out.write(`ready ${device.ublk.path}\n`);
  for (const uri of args.nbd) {
    const endpoint = await device.serveNbd(uri, args.tls);
    context.out.write(`ready ${endpoint.uri}\n`);
    uris.push(endpoint.uri);
  }
  return uris;
}

function logBlockDevice(log: Log, { path, queueCount, depth, isZeroCopy, isRecovered }: UblkEndpoint): void {
  const origin = isRecovered ? 'taken over' : 'added';
  const copies = isZeroCopy ? 'no copies' : 'data is copied';
  log.info(
    { event: 'blockDevice', path, queueCount, depth, isZeroCopy, isRecovered },
    `${path} ${origin}: ${queueCount} queue(s) of ${depth} requests, ${copies}`,
  );
}

/** `failed`: with an error that is thrown. */
type End = 'stopped' | 'handedOver' | 'failed';

/** A mistake of ours, a port that is taken, is no reason to take a mounted device away: whoever runs it next goes on. */
function isInUse({ ublk }: ProtectedDevice): boolean {
  return ublk !== undefined && ublk.users().length > 0;
}

/** A stop is refused while the block device is in use: its file systems would lose what they have not written yet. */
async function untilTold(
  device: ProtectedDevice,
  firstSignal: Promise<StopSignal>,
  context: CliContext,
  log: Log,
): Promise<End> {
  const { ublk } = device;
  const gone = Promise.race([device.gone, ...(ublk === undefined ? [] : [ublk.ended])]).then(
    () => 'gone' as const,
  );
  for (let signal = firstSignal; ; signal = context.stopSignals.next()) {
    const request = await Promise.race([signal, gone]);
    if (request === 'gone') {
      log.info({ event: 'stopping' }, 'the device was stopped');
      return 'stopped';
    }
    if (request === 'SIGUSR2' && ublk !== undefined) return 'handedOver';
    const refusal = request === 'SIGUSR2' ? 'there is no block device to hand over' : await refusalOf(ublk);
    if (refusal === undefined) {
      log.info(
        { event: 'stopping', signal: request },
        `${request}: stopping; a second signal ends it at once`,
      );
      return 'stopped';
    }
    log.error({ event: 'stopRefused', signal: request }, `${request} refused: ${refusal}`);
  }
}

/** udev opens a block device for a moment now and then; who still has it after a while uses it. */
async function refusalOf(ublk: ProtectedDevice['ublk']): Promise<string | undefined> {
  for (let look = 1; ; look += 1) {
    const users = ublk?.users() ?? [];
    if (users.length === 0) return undefined;
    if (look === USER_LOOKS)
      return `${ublk?.path} is ${users.join(', ')}; end that first, or use "dmremap stop --force ${ublk?.path}"`;
    await delay(USER_LOOK_PAUSE_MS);
  }
}

/** All looks are over before a second signal would count as another request (`SAME_REQUEST_MS`). */
const USER_LOOKS = 3;
const USER_LOOK_PAUSE_MS = 200;

/** Before a device is opened: every URI can be understood, and the TLS options fit them. */
function checkEndpoints({ device, nbd, tls }: RunArguments): void {
  if (device.ublk !== undefined && device.io === 'portable')
    throw new DmRemapError('usage', '--ublk needs io_uring: leave out --io portable');
  if (nbd.length === 0 && device.ublk === undefined) {
    const example =
      '--ublk (a block device on this machine), --nbd "nbd+unix:///?socket=/run/dm-remap.sock" or --nbd nbd://127.0.0.1:10809/';
    throw new DmRemapError('usage', `say where to serve the device, for example ${example}`);
  }
  let withTls = false;
  for (const text of nbd) {
    const uri = parseNbdUri(text);
    if (!uri.ok) throw new DmRemapError('usage', `${text}: ${uri.error.reason}`);
    if (uri.value.tls && tls.tlsDirectory === undefined && uri.value.tlsCertificates === null) {
      throw new DmRemapError('usage', `${text}: needs certificates; give their directory with --tls-dir`);
    }
    withTls ||= uri.value.tls;
  }
  if (tls.verifyClients === true && !withTls) {
    throw new DmRemapError('usage', '--verify-clients works for nbds URIs only; there is none');
  }
}
