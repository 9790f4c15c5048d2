import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { formatNumber } from '../../base/format-count.js';
import { problemOfSetName } from '../../base/set-name.js';
import { parseNbdUri } from '../../frontends/nbd/uri.js';
import { DmRemapError } from '../../library/errors.js';
import type { PairReport } from '../../library/examine-pair.js';
import type { AnswerOf } from '../answer-schemas.js';
import type { CliContext } from '../cli-context.js';
import { EXIT_STATUS } from '../exit-status.js';
import { writeAnswer } from '../output.js';
import { checkSocketPlace } from '../socket-place.js';
import { refuseRelativePaths, understandRun } from '../understand-run.js';
import { warnUnusedTail } from '../warn-unused-tail.js';
import { logPathFor, startSet } from './start-set.js';
import { formatCreatedAs, parseTable, type TableLine } from './table-line.js';

export interface CreateArguments {
  readonly name: string;
  /** Undefined: of `file`. */
  readonly table: string | undefined;
  /** Undefined: standard input. */
  readonly file: string | undefined;
  /** Undefined: a block device. */
  readonly nbd: string | undefined;
  readonly unitBytes: number | undefined;
  readonly wholeSpare: boolean;
  /** More options for `dmremap run`. */
  readonly runOptions: readonly string[];
  readonly verbose: boolean;
  readonly json: boolean;
}

/** `dmremap create`: a set from a table of the kernel module, served by a process that outlives the command. */
export async function create(args: CreateArguments, context: CliContext): Promise<number> {
  checkName(args.name);
  const line = await tableOf(args);
  refuseRelativePaths(await understandRun(runArguments(line, args)));
  checkUri(args.nbd, line);
  await refuseTwin(args.name, context);
  if (args.nbd === undefined) await context.library.checkUblk();
  const pair = await context.library.examinePair(line.main, line.spare);
  refuseSwapped(line, pair);
  checkRoom(line, pair, args, context);
  const logPath = await logPathFor(args.name, context);
  const formatted = await prepareSpare(line, pair, args, context);
  const device = await startSet(runArguments(line, args), logPath, context);
  const { setId, name, processId, endpoints } = device;
  if (args.json)
    writeAnswer<AnswerOf<'create'>>(context.out, { setId, name, formatted, processId, endpoints });
  else if (args.verbose) for (const { address } of device.endpoints) context.out.write(`${address}\n`);
  return EXIT_STATUS.done;
}

function checkName(name: string): void {
  const problem = name === '' ? 'give a name' : problemOfSetName(name);
  if (problem !== undefined) throw new DmRemapError('usage', `name "${name}": ${problem}`);
}

function checkUri(uri: string | undefined, { main, spare }: TableLine): void {
  if (uri === undefined) return;
  const parsed = parseNbdUri(uri);
  if (parsed.ok && parsed.value.address.kind === 'unix')
    checkSocketPlace(parsed.value.address.path, { main, spares: [spare] });
}

async function tableOf({ table, file }: CreateArguments): Promise<TableLine> {
  if (table !== undefined && file !== undefined)
    throw new DmRemapError('usage', `--table and ${file}: give the table once`);
  const where = table !== undefined ? '--table' : (file ?? 'standard input');
  const line = parseTable(table ?? (await readTable(file)));
  if (!line.ok) throw new DmRemapError('usage', `${where}: ${line.error}`);
  const { main, spare } = line.value;
  return { ...line.value, main: devicePath(main), spare: devicePath(spare) };
}

async function readTable(file: string | undefined): Promise<string> {
  try {
    return file === undefined ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DmRemapError('device', `${file ?? 'standard input'}: can't be read (${code})`);
  }
}

/** Tables may name a device by its numbers; paths are for a process with another working directory. */
function devicePath(named: string): string {
  return /^\d+:\d+$/.test(named) ? `/dev/block/${named}` : resolve(named);
}

async function refuseTwin(name: string, { running }: CliContext): Promise<void> {
  const twin = (await running.all()).find(({ device }) => device.name === name);
  if (twin === undefined) return;
  throw new DmRemapError('device', `${name}: exists already, served by process ${twin.device.processId}`);
}

/** Who swapped them must not be told to format what is the disk. */
function refuseSwapped({ main }: TableLine, { mainIsSpareOf }: PairReport): void {
  if (mainIsSpareOf === null) return;
  const problem = `is a spare of set ${mainIsSpareOf}; the table has MAIN first, then SPARE: were they swapped?`;
  throw new DmRemapError('refused', `${main}: ${problem}`);
}

function checkRoom(
  { sectorCount, createdAs: { spareRange }, main, spare }: TableLine,
  { mainSectorCount, spareSectorCount, spare: found }: PairReport,
  { wholeSpare }: CreateArguments,
  { err }: CliContext,
): void {
  if (sectorCount > mainSectorCount)
    throw new DmRemapError(
      'usage',
      `${main}: has ${mainSectorCount} sectors, the table wants ${sectorCount}`,
    );
  if (spareRange !== null && spareRange.startSector + spareRange.sectorCount > spareSectorCount) {
    const range = `from ${spareRange.startSector} on ${spareRange.sectorCount}`;
    throw new DmRemapError('usage', `${spare}: has ${spareSectorCount} sectors, the table wants ${range}`);
  }
  // What is a spare of the set already is opened again, as "table" prints it.
  if (spareRange !== null && spareRange.startSector > 0 && !wholeSpare && found.kind !== 'set') {
    const problem = `what lies before spare_start ${spareRange.startSector} would be overwritten: a spare is used whole`;
    throw new DmRemapError('refused', `${spare}: ${problem}; give 0, or --whole-spare if nothing is there`);
  }
  if (sectorCount < mainSectorCount) {
    const sizes = `${formatNumber(mainSectorCount)} sectors, not ${formatNumber(sectorCount)}`;
    err.write(`dmremap: warning: the whole main device is served: ${sizes}\n`);
  }
}

/**
 * A blank spare needs no consent; what is of this set is opened again; anything else stays as it is. Answers whether it was
 * formatted.
 */
async function prepareSpare(
  { main, spare }: TableLine,
  pair: PairReport,
  { name, unitBytes }: CreateArguments,
  { library, err }: CliContext,
): Promise<boolean> {
  switch (pair.spare.kind) {
    case 'set':
      return false;
    case 'blank':
      warnUnusedTail(
        await library.formatSpares({ main, spares: [spare], name, unitBytes, holdsMain: true }),
        err,
      );
      return true;
    case 'foreign': {
      const advice =
        'use another, "dmremap format" to overwrite it, or "dmremap import" for a spare of the module';
      throw new DmRemapError('refused', `${spare}: holds ${pair.spare.what}; ${advice}`);
    }
  }
}

function runArguments({ main, spare, createdAs }: TableLine, args: CreateArguments): string[] {
  const endpoint = args.nbd === undefined ? ['--ublk'] : ['--nbd', args.nbd];
  const identity = ['--name', args.name, '--created-as', formatCreatedAs(createdAs)];
  return ['--main', main, '--spare', spare, ...endpoint, ...identity, ...args.runOptions];
}
