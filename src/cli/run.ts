import { setTimeout as delay } from 'node:timers/promises';
import type { ControlServer } from '../control/control-server.js';
import { EventHistory } from '../control/event-history.js';
import { Figures } from '../control/figures.js';
import type { CreatedAs } from '../control/schema/device.js';
import type { ServedSet } from '../control/served-set.js';
import { bootId } from '../kernel/boot-id.js';
import type { LockFile } from '../kernel/lock-file.js';
import type {
  ClosedDevice,
  DeviceNotice,
  OpenDeviceOptions,
  ProtectedDevice,
  ServeNbdOptions,
  UblkEndpoint,
} from '../library/device-types.js';
import { inlineRequestPath } from '../runtime/inline-request-path.js';
import { checkEndpoints } from './check-endpoints.js';
import { claimName } from './claim-name.js';
import type { CliContext } from './cli-context.js';
import { closeServedSet } from './close-served-set.js';
import { EvacuationChanges } from './evacuation-changes.js';
import { EvacuationMemory } from './evacuation-memory.js';
import { EXIT_STATUS } from './exit-status.js';
import { openServedSet } from './jobs/open-served-set.js';
import { ServerJobs } from './jobs/server-jobs.js';
import { type Log, openLog } from './log.js';
import type { LogLevel } from './log-level.js';
import { LogSettings } from './log-settings.js';
import { namingSpares, SetChanges } from './set-changes.js';
import { formatSize } from './sizes.js';
import { SpareChanges } from './spare-changes.js';
import type { StopSignal } from './stop-signals.js';

export interface RunArguments {
  readonly device: Omit<OpenDeviceOptions, 'onEvent'>;
  /** NBD URIs to serve at; one at least, unless a block device is asked for. */
  readonly nbd: readonly string[];
  readonly tls: ServeNbdOptions;
  /** Undefined: as the setting `debug_level` says, once the set is open. */
  readonly logLevel: LogLevel | undefined;
  /** What to call the set, instead of the name in its metadata. */
  readonly name?: string | undefined;
  /** The table of `dmremap create`, which has started this. */
  readonly createdAs?: CreatedAs | undefined;
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
  inlineRequestPath();
  const log = await openLog(context.err, args.logLevel ?? 'info');
  const settings = new LogSettings(log, args.logLevel);
  if (unguarded.length > 0) warnUnguarded(log, unguarded);
  const firstSignal = context.stopSignals.next();
  const events = new EventHistory(Date.now);
  let memory: EvacuationMemory | undefined;
  const onEvent = (notice: DeviceNotice): void => {
    settings.notice(notice);
    events.add(notice);
    memory?.notice(notice);
  };
  const { device, remembered } = await openServedSet(args.device, context, onEvent);
  memory = new EvacuationMemory(remembered, bootId());
  let end: End = 'failed';
  let control: ControlServer | undefined;
  let claim: LockFile | undefined;
  const changes = new SetChanges();
  const { library } = context;
  const evacuation = new EvacuationChanges(args.device, device, changes, library, memory);
  const nowMs = (): number => performance.now();
  const jobs = new ServerJobs({ device, evacuation, memory: remembered, tell: onEvent, nowMs });
  let commandLine = context.commandLine;
  try {
    const name = args.name ?? device.info.name;
    claim = await claimOrWarn(name, args, device, context, log);
    await settings.follow(device);
    const figures = new Figures((await device.status()).counters, Math.floor(Date.now() / 1000));
    tellOpened(log, name, device);
    const nbdUris: string[] = [];
    const spares = new SpareChanges(args.device, device, jobs, changes, library);
    await resume(evacuation, log);
    await jobs.goOn();
    // Before anybody is told that the set is served: who waits for that may ask something next.
    const { createdAs } = args;
    const nbdUrisNow = (): readonly string[] => nbdUris;
    const about = { name: args.name, createdAs, nbdUris: nbdUrisNow };
    const set = { device, ...about, figures, events, spares, evacuation, jobs, settings };
    control = await openControl(set, context, log);
    await serve(device, args, context, nbdUris);
    await tell(context, log, 'READY=1', `STATUS=serving ${name || device.info.setId}`);
    const told = await Promise.race([untilTold(device, firstSignal, changes, context, log), changes.wanted]);
    if (typeof told !== 'string') {
      await jobs.rest();
      commandLine = (await told.make(closeForChange(device, log)))(
        namingSpares(commandLine, args.device.spares),
      );
      end = 'changed';
    } else {
      end = told;
      if (end === 'stopped') await memory.noteStopped();
      await tell(context, log, 'STOPPING=1', `STATUS=${end === 'handedOver' ? 'handing over' : 'stopping'}`);
    }
  } finally {
    await control?.close({ isReopened: end === 'changed' || end === 'handedOver' });
    // Who takes over may claim it as soon as the devices are free.
    if (end !== 'changed') claim?.release();
    if (end === 'failed' && isInUse(device)) end = tellLeft(device, log);
    if (end !== 'changed') {
      await jobs.rest();
      await (end === 'handedOver' ? device.handOver() : closeServedSet(device, control, context));
    }
  }
  if (end === 'changed') {
    claim?.leaveToNextProgram();
    return library.startAgain(commandLine);
  }
  log.info({ event: end }, end === 'handedOver' ? 'handed over' : 'stopped cleanly');
  return EXIT_STATUS.done;
}

/** A name that nobody asked for, or of a block device whose users wait, is no reason not to serve. */
async function claimOrWarn(
  name: string,
  args: RunArguments,
  { ublk }: ProtectedDevice,
  context: CliContext,
  log: Log,
): Promise<LockFile | undefined> {
  try {
    return await claimName(name, context);
  } catch (error) {
    if (args.name !== undefined && ublk?.isRecovered !== true) throw error;
    log.warn({ event: 'nameTaken', name }, `${(error as Error).message}, or use its set id`);
    return undefined;
  }
}

function tellOpened(log: Log, name: string, { info, ublk }: ProtectedDevice): void {
  const { setId, sizeBytes, io } = info;
  const message = `opened ${name || setId}: ${formatSize(sizeBytes)}, ${io} I/O`;
  log.info({ event: 'opened', setId, sizeBytes, io }, message);
  if (ublk !== undefined) logBlockDevice(log, ublk);
}

function closeForChange(device: ProtectedDevice, log: Log): Promise<ClosedDevice> {
  log.info({ event: 'changing' }, 'handing over to itself for a change of the set');
  const closed = device.handOver();
  closed.catch((error: Error) =>
    log.error({ event: 'notClosed' }, `${error.message}; opened again as after a crash, without the change`),
  );
  return closed;
}

function warnUnguarded(log: Log, unguarded: readonly string[]): void {
  log.warn(
    { event: 'unguarded', unguarded },
    `memory pressure may stall the device: ${unguarded.join(', ')}`,
  );
}

/** That a set can't be copied any more is no reason not to serve it. */
async function resume(evacuation: EvacuationChanges, log: Log): Promise<void> {
  const problem = await evacuation.resume();
  if (problem !== undefined) log.error({ event: 'evacuationNotResumed' }, problem);
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

/** `ready PATH` or `ready URI` on standard output means that clients can connect there. Adds the URIs to `uris`. */
async function serve(
  device: ProtectedDevice,
  args: RunArguments,
  context: CliContext,
  uris: string[],
): Promise<void> {
  if (device.ublk !== undefined) context.out.write(`ready ${device.ublk.path}\n`);
  for (const uri of args.nbd) {
    const endpoint = await device.serveNbd(uri, args.tls);
    uris.push(endpoint.uri);
    context.out.write(`ready ${endpoint.uri}\n`);
  }
}

function logBlockDevice(log: Log, { path, queueCount, depth, isZeroCopy, isRecovered }: UblkEndpoint): void {
  const origin = isRecovered ? 'taken over' : 'added';
  const copies = isZeroCopy ? 'no copies' : 'data is copied';
  log.info(
    { event: 'blockDevice', path, queueCount, depth, isZeroCopy, isRecovered },
    `${path} ${origin}: ${queueCount} queue(s) of ${depth} requests, ${copies}`,
  );
}

/** `changed`: closed for a change of the set, and to be started again. `failed`: with an error that is thrown. */
type End = 'stopped' | 'handedOver' | 'changed' | 'failed';

function tellLeft({ ublk }: ProtectedDevice, log: Log): 'handedOver' {
  log.error(
    { event: 'left', path: ublk?.path },
    `${ublk?.path} is in use and stays: its I/O waits until the set is run again`,
  );
  return 'handedOver';
}

/** A mistake of ours, a port that is taken, is no reason to take a mounted device away: whoever runs it next goes on. */
function isInUse({ ublk }: ProtectedDevice): boolean {
  return ublk !== undefined && ublk.users().length > 0;
}

/** A stop is refused while the block device is in use: its file systems would lose what they have not written yet. */
async function untilTold(
  device: ProtectedDevice,
  firstSignal: Promise<StopSignal>,
  changes: SetChanges,
  context: CliContext,
  log: Log,
): Promise<End> {
  const { ublk } = device;
  const gone = Promise.race([device.gone, ...(ublk === undefined ? [] : [ublk.ended])]).then(
    () => 'gone' as const,
  );
  for (let signal = firstSignal; ; signal = context.stopSignals.next()) {
    const request = await Promise.race([signal, gone]);
    if (changes.isUnderWay) return postpone(await signal, context, log);
    if (request === 'gone') {
      log.info({ event: 'stopping' }, 'the device was stopped');
      return 'stopped';
    }
    if (request === 'SIGUSR2' && ublk !== undefined) return 'handedOver';
    const refusal = request === 'SIGUSR2' ? 'there is no block device to hand over' : await refusalOf(ublk);
    if (changes.isUnderWay) return postpone(request, context, log);
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

/** A change is not broken off. Another signal is not waited for. */
function postpone(signal: StopSignal, { stopSignals }: CliContext, log: Log): End {
  stopSignals.postpone(signal);
  log.info(
    { event: 'signalPostponed', signal },
    `${signal}: heeded when the change is made; a second signal ends it at once`,
  );
  return 'changed';
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
