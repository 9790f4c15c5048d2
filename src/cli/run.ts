import { type Command, Option } from 'commander';
import type { Logger } from 'pino';
import { parseNbdUri } from '../frontends/nbd/uri.js';
import type { OpenDeviceOptions, ProtectedDevice, ServeNbdOptions } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { LOG_LEVELS, type LogLevel, logNotice, openLog } from './log.js';
import { repeated } from './repeated-option.js';
import { formatSize } from './sizes.js';

export interface RunArguments {
  readonly device: Omit<OpenDeviceOptions, 'onEvent'>;
  /** NBD URIs to serve at; one at least. */
  readonly nbd: readonly string[];
  readonly tls: ServeNbdOptions;
  readonly logLevel: LogLevel;
}

/** `dmremap run`: serves a protected device until a signal asks it to stop. */
export async function run(args: RunArguments, context: CliContext): Promise<number> {
  checkEndpoints(args);
  const stopped = context.stopSignals.first();
  const log = openLog(context.err, args.logLevel);
  const onEvent = (notice: Parameters<typeof logNotice>[1]) => logNotice(log, notice);
  const device = await context.library.openDevice({ ...args.device, onEvent });
  try {
    const { name, setId, sizeBytes, io } = device.info;
    log.info(
      { event: 'opened', setId, sizeBytes, io },
      `opened ${name || setId}: ${formatSize(sizeBytes)}, ${io} I/O`,
    );
    await serve(device, args, context);
    await tellServiceManager(context, log, 'READY=1', `STATUS=serving ${name || setId}`);
    const signal = await Promise.race([stopped, device.gone.then(() => 'closed')]);
    log.info({ event: 'stopping', signal }, `${signal}: stopping; a second signal ends it at once`);
    await tellServiceManager(context, log, 'STOPPING=1', `STATUS=${signal}: stopping`);
  } finally {
    await device.close();
  }
  log.info({ event: 'stopped' }, 'stopped cleanly');
  return EXIT_STATUS.done;
}

/** A service manager that can't be reached is no reason to stop serving. */
async function tellServiceManager(context: CliContext, log: Logger, ...variables: string[]): Promise<void> {
  const problem = await context.serviceManager.tell(...variables);
  if (problem !== undefined) log.warn({ event: 'notTold' }, problem);
}

/** `ready URI` on standard output means that clients can connect there. */
async function serve(device: ProtectedDevice, args: RunArguments, context: CliContext): Promise<void> {
  for (const uri of args.nbd) {
    const endpoint = await device.serveNbd(uri, args.tls);
    context.out.write(`ready ${endpoint.uri}\n`);
  }
}

/** Before a device is opened: every URI can be understood, and the TLS options fit them. */
function checkEndpoints({ nbd, tls }: RunArguments): void {
  if (nbd.length === 0) {
    const example = '--nbd "nbd+unix:///?socket=/run/dm-remap.sock" or --nbd nbd://127.0.0.1:10809/';
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

export function addRunCommand(program: Command, action: (args: RunArguments) => Promise<void>): void {
  const command = program
    .command('run')
    .summary('serve a protected device')
    .description(
      'Opens the main device and its spares, exclusively, and serves the protected device over NBD, in the foreground, ' +
        'until SIGINT, SIGTERM or SIGHUP; then it finishes what is in flight and stops cleanly. A second signal, ' +
        'half a second later or more, ends it at once.\n\n' +
        'Prints "ready URI" on standard output, a line for each URI, when clients can connect. The log is on standard ' +
        'error: for people on a terminal, JSON lines otherwise.',
    )
    .requiredOption('--main <path>', 'the disk (or image file) to protect')
    .requiredOption('--spare <path>', 'a spare of its set; repeat for all of them, in any order', repeated)
    .option(
      '--nbd <uri>',
      'where to serve: nbd+unix:///EXPORT?socket=PATH, nbd://ADDRESS:PORT/EXPORT, nbds:// with TLS; repeat for several',
      repeated,
      [],
    )
    .option(
      '--tls-dir <directory>',
      'server-cert.pem, server-key.pem and optionally ca-cert.pem, for nbds URIs',
    )
    .addOption(
      new Option('--verify-clients', 'TLS: only clients with a certificate of ca-cert.pem').default(false),
    )
    .addOption(
      new Option('--io <kind>', 'how to do I/O; by itself the best that works').choices([
        'uring',
        'portable',
      ]),
    )
    .option('--faults <file>', 'inject the faults of a scenario file (docs/fault-scenarios.md)')
    .addOption(
      new Option('--on-lost <answer>', 'what reading a lost block gives')
        .choices(['error', 'zero'])
        .default('error'),
    )
    .addOption(new Option('--init', 'format the spares first if they are blank').default(false))
    .addOption(new Option('--force', 'go on although devices do not match what is recorded').default(false))
    .addOption(
      new Option('--log-level <level>', 'the least that is logged').choices(LOG_LEVELS).default('info'),
    )
    .action((options: CommandOptions) => action(argumentsOf(options)));
  helpLikeManual(command, {
    exitStatuses: [
      'done',
      'usage',
      'device',
      'refused',
      'metadata',
      'io',
      'system',
      'hangUp',
      'interrupted',
      'terminated',
    ],
    examples: [
      'dmremap run --main /dev/sdX --spare /dev/sdY --nbd "nbd+unix:///?socket=/run/dm-remap.sock"',
      'nbd-client -unix /run/dm-remap.sock /dev/nbd0      # in another terminal',
    ],
  });
}

interface CommandOptions {
  readonly main: string;
  readonly spare: string[];
  readonly nbd: string[];
  readonly tlsDir?: string;
  readonly verifyClients: boolean;
  readonly io?: 'uring' | 'portable';
  readonly faults?: string;
  readonly onLost: 'error' | 'zero';
  readonly init: boolean;
  readonly force: boolean;
  readonly logLevel: LogLevel;
}

function argumentsOf(options: CommandOptions): RunArguments {
  const { main, spare: spares, io, faults, onLost, init, force } = options;
  return {
    device: { main, spares, io, faults, onLost, init, force },
    nbd: options.nbd,
    // Undefined leaves it to the URI's tls-verify-peer.
    tls: { tlsDirectory: options.tlsDir, verifyClients: options.verifyClients || undefined },
    logLevel: options.logLevel,
  };
}
