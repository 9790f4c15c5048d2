import { readFileSync } from 'node:fs';
import { thisMachine } from '../boot/machine.js';
import { runDirectoryOf } from '../control/run-directory.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext, LibraryCalls, RunningCalls } from './cli-context.js';
import { runCommandLine } from './command-line.js';
import { askOnTerminal } from './consent.js';
import { EXIT_STATUS, exitStatusOf } from './exit-status.js';
import { outputTo } from './output.js';
import { reportError, reportErrorAsJson } from './report-error.js';
import { serviceManagerOf } from './service-manager.js';
import { stopSignalsOf } from './stop-signals.js';

const out = outputTo(process.stdout, process.env, outputFailed);
const err = outputTo(process.stderr, process.env, () => {});

/** Loaded when a command needs it: --help and wrong arguments don't wait for system call bindings. */
const library: LibraryCalls = {
  openDevice: async (options) => (await import('../library/open-device.js')).openDevice(options),
  planFormat: async (options) => (await import('../library/format-spares.js')).planFormat(options),
  formatSpares: async (options) => (await import('../library/format-spares.js')).formatSpares(options),
  guardAgainstReclaim: async () => (await import('../kernel/memory-reclaim.js')).guardAgainstReclaim(),
  stopBlockDevice: async (path, options) =>
    (await import('../library/stop-block-device.js')).stopBlockDevice(path, options),
  inspectSpares: async (paths) => (await import('../library/inspect-spares.js')).inspectSpares(paths),
  checkMetadata: async (paths, watch) =>
    (await import('../library/check-metadata.js')).checkMetadata(paths, watch),
  dumpMetadata: async (paths, watch) =>
    (await import('../library/dump-metadata.js')).dumpMetadata(paths, watch),
  planMetadataRepair: async (options) =>
    (await import('../library/repair-metadata.js')).planMetadataRepair(options),
  repairMetadata: async (options) => (await import('../library/repair-metadata.js')).repairMetadata(options),
  planMetadataRestore: async (options) =>
    (await import('../library/restore-metadata.js')).planMetadataRestore(options),
  restoreMetadata: async (options) =>
    (await import('../library/restore-metadata.js')).restoreMetadata(options),
  inspectModuleSpare: async (options) =>
    (await import('../library/inspect-module-spare.js')).inspectModuleSpare(options),
  planImport: async (options) => (await import('../library/import-spare.js')).planImport(options),
  importSpare: async (options, watch) =>
    (await import('../library/import-spare.js')).importSpare(options, watch),
};

const runDirectory = runDirectoryOf(process.env, process.getuid?.() === 0);

const running: RunningCalls = {
  async all() {
    const { runningSets } = await import('../control/client/running-sets.js');
    return runDirectory === undefined ? [] : runningSets(runDirectory);
  },
  async one(wanted) {
    const { pickSet } = await import('../control/client/pick-set.js');
    return pickSet(await running.all(), wanted);
  },
};

const context: CliContext = {
  library,
  out,
  err,
  ask: askOnTerminal(process.stdin, process.stderr),
  stopSignals: stopSignalsOf(process),
  serviceManager: serviceManagerOf(process.env),
  machine: thisMachine,
  version: packageVersion(),
  runDirectory,
  running,
};

const commandLine = process.argv.slice(2);
process.stdout.on('error', outputFailed);
process.stderr.on('error', () => {});
process.on('uncaughtException', fail);
// A pipe or socket may take long output piece by piece: nothing is cut off. A broken pipe decides the status.
runCommandLine(commandLine, context).then(
  (status) => process.stdout.write('', () => process.exit(status)),
  fail,
);

function fail(error: unknown): void {
  reportError(error, err, process.env.DMREMAP_DEBUG === '1');
  if (commandLine.includes('--json')) reportErrorAsJson(error, out);
  process.stdout.write('', () => process.exit(exitStatusOf(error)));
}

/** Nobody reads any more, or a disk is full: the end of a command that prints, but no reason for `run` to drop its clients. */
function outputFailed(error: NodeJS.ErrnoException): void {
  if (process.argv[2] === 'run') return;
  if (error.code === 'EPIPE') process.exit(EXIT_STATUS.outputClosed);
  const failure = new DmRemapError(
    'io',
    `standard output: can't be written (${error.code}); what is there is not whole`,
  );
  reportError(failure, err, false);
  process.exit(exitStatusOf(failure));
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
