import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { thisMachine } from '../boot/machine.js';
import { CONFIGURATION_DIRECTORY } from '../boot/set-files.js';
import { directoriesToLookIn, runDirectoryOf } from '../control/run-directory.js';
import { DmRemapError } from '../library/errors.js';
import { startInBackground } from './background-run.js';
import type { CliContext, LibraryCalls } from './cli-context.js';
import { runCommandLine } from './command-line.js';
import { askOnTerminal } from './consent.js';
import { EXIT_STATUS, exitStatusOf } from './exit-status.js';
import { outputTo } from './output.js';
import { reportError, reportErrorAsJson } from './report-error.js';
import { runningCallsIn } from './running-calls.js';
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
  startAgain: async (commandLine) => {
    const { startAgain } = await import('../kernel/start-again.js');
    // A signal that has come by now is heard of: between two of these the loop asks the kernel.
    await turn();
    await turn();
    return startAgain(commandLine);
  },
  planAddSpare: async (options) => (await import('../library/add-spare.js')).planAddSpare(options),
  addSpare: async (options, expected) =>
    (await import('../library/add-spare.js')).addSpare(options, expected),
  removeSpare: async (options) => (await import('../library/remove-spare.js')).removeSpare(options),
  planEvacuation: async (options) => (await import('../library/plan-evacuation.js')).planEvacuation(options),
  identifyDisk: async (path) => (await import('../library/identify-disk.js')).identifyDisk(path),
  holdsCopy: async (main, device) => (await import('../library/holds-copy.js')).holdsCopy(main, device),
  planReplaceMain: async (options) => (await import('../library/replace-main.js')).planReplaceMain(options),
  replaceMain: async (options, expected) =>
    (await import('../library/replace-main.js')).replaceMain(options, expected),
  planWipe: async (options) => (await import('../library/wipe-set.js')).planWipe(options),
  wipeSet: async (options, expected) => (await import('../library/wipe-set.js')).wipeSet(options, expected),
  stopBlockDevice: async (path, options) =>
    (await import('../library/stop-block-device.js')).stopBlockDevice(path, options),
  checkUblk: async () => (await import('../library/ublk-plan.js')).openControl().close(),
  blockDeviceUsers: async (path) => (await import('../kernel/block-device-users.js')).blockDeviceUsers(path),
  examinePair: async (main, spare) => (await import('../library/examine-pair.js')).examinePair(main, spare),
  endProcess: async (processId) => (await import('../library/end-process.js')).endProcess(processId),
  isProcessAlive: async (processId) => (await import('../kernel/process-alive.js')).isProcessAlive(processId),
  scanSets: async (options) => (await import('../library/scan-sets.js')).scanSets(options),
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

const isRoot = process.getuid?.() === 0;
const runDirectory = runDirectoryOf(process.env, isRoot);

const running = runningCallsIn(directoriesToLookIn(process.env, isRoot), library.isProcessAlive, err);

const context: CliContext = {
  library,
  out,
  err,
  ask: askOnTerminal(process.stdin, process.stderr),
  stopSignals: stopSignalsOf(process),
  serviceManager: serviceManagerOf(process.env),
  machine: thisMachine,
  version: packageVersion(),
  commandLine: process.argv.slice(2),
  configurationDirectory: CONFIGURATION_DIRECTORY,
  runDirectory,
  stateDirectory: isRoot ? '/var/lib/dm-remap' : undefined,
  running,
  startInBackground: (request) =>
    startInBackground(request, { ...thisMachine.paths, environment: process.env }),
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
  if (process.argv[2] === 'run' || process.argv[2] === 'assemble') return;
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
