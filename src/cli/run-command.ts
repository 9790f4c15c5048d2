import { type Command, Option } from 'commander';
import type { CreatedAs } from '../control/schema/device.js';
import type { UblkOptions } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import type { RunRequest } from './configured-run.js';
import { parseCreatedAs } from './dmsetup/table-line.js';
import { helpLikeManual } from './help.js';
import { DEBUG_LEVEL_OF_LOG_LEVEL, LOG_LEVELS, type LogLevel } from './log-level.js';
import { nameOption } from './name-option.js';
import { repeated } from './repeated-option.js';

export function addRunCommand(program: Command, action: (request: RunRequest) => Promise<void>): void {
  const command = program
    .command('run')
    .summary('serve a protected device')
    .description(
      'Opens the main device and its spares, exclusively, and serves the protected device as a block device or over ' +
        'NBD, in the foreground, until SIGINT, SIGTERM or SIGHUP; then it finishes what is in flight and stops ' +
        'cleanly. A second signal, half a second later or more, ends it at once.\n\n' +
        'While a block device (--ublk) is in use a stop is refused, which is logged. If the process dies, the block ' +
        'device stays and its I/O waits; the next "dmremap run" with the same spares takes it over, and no ' +
        'application sees an error. SIGUSR2 ends the process like that on purpose, in order, for an upgrade; ' +
        '--take-over sends it.\n\n' +
        'With NAME the configuration (docs/configuration.md) has what no option says: devices, frontends, settings.\n\n' +
        'Prints "ready /dev/ublkbN" and "ready URI" on standard output when clients can use them. The log is on ' +
        'standard error: for people on a terminal, JSON lines otherwise.',
    )
    .argument('[name]', 'a set of the configuration')
    .option('--main <path>', 'the disk (or image file) to protect')
    .option('--spare <path>', 'a spare of its set; repeat for all of them, in any order', repeated, [])
    .option('--config <file>', 'with NAME: this file, instead of /etc/dm-remap/dm-remap.yaml and conf.d')
    .action((set: string | undefined, options: CommandOptions) => action(requestOf(set, options)));
  addFrontendOptions(command);
  addDeviceOptions(command);
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
      'dmremap run attic',
      'dmremap run --main /dev/sdX --spare /dev/sdY --ublk',
      'dmremap run --main /dev/sdX --spare /dev/sdY --nbd "nbd+unix:///?socket=/run/dm-remap.sock"',
      'nbd-client -unix /run/dm-remap.sock /dev/nbd0      # in another terminal',
    ],
  });
}

/** Where the device is served. */
function addFrontendOptions(command: Command): void {
  command
    .addOption(new Option('--ublk', 'serve as a block device /dev/ublkbN (root, Linux 6.1)').default(false))
    .addOption(
      countOption('--queues <count>', 'with --ublk: hardware queues, one thread each; default 1', 64),
    )
    .addOption(countOption('--depth <count>', 'with --ublk: requests in flight per queue; default 128', 1024))
    .addOption(
      new Option(
        '--take-over',
        'with --ublk: have the process that serves the set hand it over, instead of refusing',
      ).default(false),
    )
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
    );
}

/** How the devices below are used. */
function addDeviceOptions(command: Command): void {
  command
    .addOption(
      new Option('--io <kind>', 'how to do I/O; by itself the best that works').choices([
        'uring',
        'portable',
      ]),
    )
    .option(
      '--archive <directory>',
      'keep texts of the map there, one for each change, for "metadata restore"; the directory above it has to be there; by itself $STATE_DIRECTORY, if systemd sets it',
    )
    .addOption(
      new Option(
        '--metadata-scrub <hours>',
        'how often all copies of the metadata are read, compared and repaired; 0 never; by itself as the setting metadata_scrub_hours says',
      ).argParser((text) => {
        if (/^\d{1,5}$/.test(text)) return Number(text);
        throw new DmRemapError(
          'usage',
          `--metadata-scrub ${text}: expected a number of hours from 0 to 99999`,
        );
      }),
    )
    .option('--faults <file>', 'inject the faults of a scenario file (docs/fault-scenarios.md)')
    .addOption(
      new Option(
        '--on-lost <answer>',
        'what reading a lost block gives; by itself as the setting on_lost says',
      ).choices(['error', 'zero']),
    )
    .addOption(
      new Option(
        '--on-gone <policy>',
        'what requests do that need a device which is gone: fail, hold (wait until it is back), hold:SECONDS (then fail); by itself as the setting on_gone says',
      ),
    )
    .addOption(new Option('--init', 'format the spares first if they are blank').default(false))
    .addOption(new Option('--force', 'go on although devices do not match what is recorded').default(false))
    .option('--name <text>', 'what to call the set, instead of the name in its metadata', nameOption)
    .addOption(new Option('--created-as <table>').argParser(createdAsOf).hideHelp())
    .addOption(
      new Option(
        '--log-level <level>',
        'the least that is logged; by itself as the setting debug_level says',
      ).choices(LOG_LEVELS),
    );
}

interface CommandOptions {
  readonly main?: string;
  readonly config?: string;
  readonly spare: string[];
  readonly ublk: boolean;
  readonly queues?: number;
  readonly depth?: number;
  readonly takeOver: boolean;
  readonly nbd: string[];
  readonly tlsDir?: string;
  readonly verifyClients: boolean;
  readonly io?: 'uring' | 'portable';
  readonly archive?: string;
  readonly metadataScrub?: number;
  readonly faults?: string;
  readonly onLost?: 'error' | 'zero';
  readonly onGone?: string;
  readonly init: boolean;
  readonly force: boolean;
  readonly logLevel?: LogLevel;
  readonly name?: string;
  readonly createdAs?: CreatedAs;
}

function requestOf(set: string | undefined, options: CommandOptions): RunRequest {
  const { main, spare: spares, io, archive, faults, onLost, onGone, init, force } = options;
  const { metadataScrub: metadataScrubHours } = options;
  return {
    set,
    config: options.config,
    device: {
      main,
      spares,
      io,
      archive,
      metadataScrubHours,
      faults,
      onLost,
      onGone,
      init,
      force,
      ublk: ublkOf(options),
      settings: settingsOf(options),
    },
    nbd: options.nbd,
    // Undefined leaves it to the URI's tls-verify-peer.
    tls: { tlsDirectory: options.tlsDir, verifyClients: options.verifyClients || undefined },
    logLevel: options.logLevel,
    name: options.name,
    createdAs: options.createdAs,
  };
}

/** Of the options that are about the process rather than the device. */
function settingsOf({ logLevel }: CommandOptions): RunRequest['device']['settings'] {
  if (logLevel === undefined) return undefined;
  return { debug_level: { value: DEBUG_LEVEL_OF_LOG_LEVEL[logLevel], givenBy: '--log-level' } };
}

/** For `dmremap create` only, hence not in the help. */
function createdAsOf(text: string): CreatedAs {
  const createdAs = parseCreatedAs(text);
  if (createdAs !== undefined) return createdAs;
  throw new DmRemapError('usage', `--created-as ${text}: expected TARGET or remap:START:LENGTH`);
}

function ublkOf({ ublk, queues, depth, takeOver }: CommandOptions): UblkOptions | undefined {
  if (ublk) return { queueCount: queues, depth, takeOver };
  if (queues !== undefined || depth !== undefined || takeOver)
    throw new DmRemapError('usage', '--queues, --depth and --take-over belong to --ublk');
  return undefined;
}

function countOption(flags: string, description: string, limit: number): Option {
  return new Option(flags, description).argParser((text) => {
    const count = Number(text);
    if (!/^\d+$/.test(text) || count < 1 || count > limit)
      throw new DmRemapError(
        'usage',
        `${flags.split(' ')[0]} ${text}: expected a whole number from 1 to ${limit}`,
      );
    return count;
  });
}
