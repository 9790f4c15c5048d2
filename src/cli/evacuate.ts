import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { commandLine } from '../base/shell-words.js';
import type { RunningSet } from '../control/client/running-sets.js';
import { DmRemapError } from '../library/errors.js';
import { askPatiently } from './ask-patiently.js';
import type { CliContext } from './cli-context.js';
import { askConsent, declined } from './consent.js';
import { evacuatedText, evacuationPlanText } from './evacuate-text.js';
import { acceptEvacuationLoss } from './evacuation-loss.js';
import { EXIT_STATUS } from './exit-status.js';
import { type Evacuation, followEvacuation } from './follow-evacuation.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';
import { takeOver } from './take-over.js';
import { interruption } from './unless-interrupted.js';

export interface EvacuateArguments {
  readonly set: string;
  /** The disk that is to become the main device; left out, of the copying that is under way. */
  readonly device: string | undefined;
  readonly cancel: boolean;
  /** The main device is gone, and not waited for: what was not copied is lost. */
  readonly acceptLoss: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** `dmremap evacuate`: copies everything to another disk, which then takes the main device's place. */
export async function evacuate(args: EvacuateArguments, context: CliContext): Promise<number> {
  refuseMixed(args);
  const set = await context.running.one(args.set);
  if (args.cancel) return cancel(set, args, context);
  if (args.acceptLoss) return withoutMain(set, args, context);
  const before = await set.client.evacuation();
  const device = args.device === undefined ? await pathUnderWay(before, set) : resolve(args.device);
  const { force, dryRun, yes, json } = args;
  const goesOn = isUnderWay(before, device);
  if (goesOn && !dryRun) {
    await askPatiently(() => set.client.evacuate({ device, force: true }), set.device, context);
    return finish(set, args, context);
  }
  const asked = { device, force: force || goesOn, dryRun: true };
  const { version: _, evacuation: __, ...plan } = await set.client.evacuate(asked);
  const out = dryRun && !json ? context.out : context.err;
  if (dryRun || !yes) out.write(evacuationPlanText(plan, set.device, out));
  if (dryRun) {
    if (json) writeJson(context.out, { written: false, ...plan });
    return EXIT_STATUS.done;
  }
  if (!yes && !(await askConsent(context))) return declined(context, json);
  // Asked twice it goes on with what is under way.
  await askPatiently(() => set.client.evacuate({ device, force }), set.device, context);
  return finish(set, args, context);
}

/** Who names another disk than the one that is copied to means something else. */
function refuseMixed({ cancel, acceptLoss, device }: EvacuateArguments): void {
  if (cancel && acceptLoss)
    throw new DmRemapError('usage', '--cancel gives up what --accept-loss would end; give one of them');
  if ((cancel || acceptLoss) && device !== undefined)
    throw new DmRemapError(
      'usage',
      `${cancel ? '--cancel' : '--accept-loss'} is for the copying that is under way; name no disk`,
    );
}

async function pathUnderWay(before: Evacuation | null, { client }: RunningSet): Promise<string> {
  if (before !== null && isUnderWay(before, before.path)) return before.path;
  const resting = await restingPath(client);
  if (resting !== undefined) return resting;
  throw new DmRemapError('usage', 'which disk? nothing is being copied, so name the one to copy to');
}

/** Of copying that no process has begun again: since it was paused, or the set was stopped. */
async function restingPath(client: RunningSet['client']): Promise<string | undefined> {
  const job = (await client.jobs()).find(({ kind, state }) => kind === 'evacuation' && state === 'paused');
  return job?.path ?? undefined;
}

function isUnderWay(before: Evacuation | null, device: string): boolean {
  if (before === null || before.path !== device) return false;
  return before.state === 'copying' || before.state === 'copied' || before.state === 'incomplete';
}

async function withoutMain(set: RunningSet, args: EvacuateArguments, context: CliContext): Promise<number> {
  if (await acceptEvacuationLoss(set, args, context)) return finish(set, args, context);
  return args.dryRun ? EXIT_STATUS.done : declined(context, args.json);
}

/** Waits until all is copied, and has the disk take over. */
async function finish(
  { client, device }: RunningSet,
  { json, set }: EvacuateArguments,
  context: CliContext,
): Promise<number> {
  // Who serves the set after a crash, or for an upgrade, begins to copy again.
  const patient = { evacuation: () => askPatiently(() => client.evacuation(), device, context) };
  const interrupted = interruption(context.stopSignals);
  const copied = await followEvacuation(patient, context.err, interrupted);
  if (copied.state === 'copying') {
    context.err.write(
      `dmremap: the copying goes on; "${commandLine(['dmremap', 'evacuate', set])}" waits for it again and ends it, --cancel gives it up\n`,
    );
    return tellInterrupted(device, copied, json, context);
  }
  const taken = await takeOver(client, copied.path, interrupted, context);
  if (taken === undefined) return tellInterrupted(device, copied, json, context);
  const { replaced, atBoot } = taken;
  if (json) writeJson(context.out, { written: true, ...replaced, copiedBytes: copied.copiedBytes });
  else context.out.write(evacuatedText(replaced, device, set, atBoot));
  return EXIT_STATUS.done;
}

/** Programs learn how far it was; a person was told already. */
function tellInterrupted(
  { setId, name }: RunningSet['device'],
  evacuation: Evacuation,
  json: boolean,
  { out }: CliContext,
): number {
  const { copiedBytes } = evacuation;
  if (json) writeJson(out, { written: false, setId, name, copiedBytes, interrupted: true, evacuation });
  return EXIT_STATUS.interrupted;
}

async function cancel(
  { client }: RunningSet,
  { json, dryRun }: EvacuateArguments,
  context: CliContext,
): Promise<number> {
  const before = await client.evacuation();
  const isCopied = before !== null && isUnderWay(before, before.path);
  const path = isCopied ? before.path : await restingPath(client);
  if (path === undefined) throw new DmRemapError('usage', 'nothing is being copied to another disk');
  if (dryRun) {
    if (json) writeJson(context.out, { written: false, path });
    else context.out.write(`${path} would not be copied to any more; what is on it would be no use\n`);
    return EXIT_STATUS.done;
  }
  await client.cancelEvacuation();
  if (json) writeJson(context.out, { cancelled: path });
  else
    context.out.write(`${path} is not copied to any more; what is on it is no use. The set is as it was\n`);
  return EXIT_STATUS.done;
}

export function addEvacuateCommand(
  program: Command,
  action: (args: EvacuateArguments) => Promise<void>,
): void {
  const command = program
    .command('evacuate')
    .summary('move a set to another disk while it is in use')
    .description(
      'Copies everything that a set holds to another disk while it is in use: what is easy to read first, then around the ' +
        'bad areas, then block by block; what was moved comes from the spares. What is written meanwhile goes to both ' +
        'disks. In the end the new disk takes the place of the main device in one step: nothing has to be unmounted, the ' +
        'I/O of a block device waits for a moment, NBD clients have to connect again. Then nothing lives on the spares any ' +
        'more but units with lost blocks: reading those gives an error, as before, until they are written.\n\n' +
        'The new disk has to be as large as the set or larger, and what is on it is lost. If it fails, the copying ends and ' +
        'the set is as it was; so it is after --cancel. When the process that serves the set was killed, the next one goes ' +
        'on where it was; after a power cut, too, if the disk still holds what was copied, as far as UUIDs tell. After a ' +
        'stop it rests: without a disk the command shows what the disk holds by then, asks, and goes on. Where the two disks ' +
        'differ by then, or nothing says how far it was, everything is copied from the start.\n\n' +
        'Where the main device goes away, the copying waits for it, and what was copied can be read meanwhile. If it is gone ' +
        'for good, --accept-loss has the new disk take over with what was copied; the rest is lost, as far as the spares ' +
        'have room to remember that.\n\n' +
        'Ctrl-C ends the command and not the copying. Called again, it waits for the end, and goes on with what was paused ' +
        '("dmremap job pause").',
    )
    .argument('<set>', 'name, set id, block device, main device or spare of a set at work')
    .argument('[new-disk]', 'block device or image file; what is on it is lost')
    .addOption(new Option('--cancel', 'give up the copying that is under way').default(false))
    .addOption(
      new Option('--accept-loss', 'the main device is gone for good: what was not copied is lost').default(
        false,
      ),
    )
    .addOption(new Option('--force', 'overwrite a disk that holds something').default(false))
    .addOption(new Option('--dry-run', 'show what would be done, and end').default(false))
    .addOption(new Option('--yes', 'do not ask').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string, device: string | undefined, options: CommandOptions) =>
      action({ set, device, ...options }),
    );
  helpLikeManual(command, {
    exitStatuses: [
      'done',
      'declined',
      'usage',
      'device',
      'refused',
      'metadata',
      'io',
      'system',
      'interrupted',
    ],
    examples: [
      'dmremap evacuate attic /dev/disk/by-id/ata-NEW',
      'dmremap evacuate attic --accept-loss',
      'dmremap evacuate attic --cancel',
    ],
  });
}

type CommandOptions = Omit<EvacuateArguments, 'set' | 'device'>;
