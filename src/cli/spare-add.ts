import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import { DmRemapError } from '../library/errors.js';
import type { AddSparePlan } from '../library/spare-types.js';
import { type AddedSpare, addSpareAtWork, interruptedText, neededText, planOf } from './add-spare-at-work.js';
import type { CliContext } from './cli-context.js';
import { askConsent, declined } from './consent.js';
import { EXIT_STATUS } from './exit-status.js';
import { followAtBoot } from './follow-at-boot.js';
import { helpLikeManual } from './help.js';
import { coloured, type Output, writeJson } from './output.js';
import { repeated } from './repeated-option.js';
import { formatSize } from './sizes.js';
import { formatFields } from './table.js';
import { tellLeftToStart } from './tell-left-to-start.js';

export interface AddSpareArguments {
  readonly device: string;
  /** Of a set at work; else `main` and `spares` are those of a set that is not. */
  readonly set: string | undefined;
  readonly main: string | undefined;
  readonly spares: readonly string[];
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** `dmremap spare add`: gives a set one more spare, while it is served or not. */
export async function addSpare(args: AddSpareArguments, context: CliContext): Promise<number> {
  const { dryRun, yes, json } = args;
  const adder = await adderFor(args, context);
  const plan = await adder.plan();
  const out = dryRun && !json ? context.out : context.err;
  if (dryRun || !yes) out.write(planText(plan, out));
  if (dryRun) {
    if (json) writeJson(context.out, { written: false, ...plan });
    return EXIT_STATUS.done;
  }
  if (!yes && !(await askConsent(context))) return declined(context, json);
  const added = await adder.add(plan);
  if (added.interruptedWhile !== undefined) return tellInterrupted(added, args, context);
  if (json) writeJson(context.out, { written: true, ...added.done });
  else context.out.write(resultText(added));
  return EXIT_STATUS.done;
}

/** Programs learn of the plan, or of what was done by then. */
function tellInterrupted(added: AddedSpare, { set, json }: AddSpareArguments, context: CliContext): number {
  context.err.write(`dmremap: ${interruptedText(added, set ?? added.done.setId)}\n`);
  const written = added.interruptedWhile === 'opening';
  if (json) writeJson(context.out, { written, interrupted: true, ...added.done });
  return EXIT_STATUS.interrupted;
}

interface Adder {
  plan(): Promise<AddSparePlan>;
  add(plan: AddSparePlan): Promise<AddedSpare>;
}

async function adderFor(args: AddSpareArguments, context: CliContext): Promise<Adder> {
  const { set, main, spares, force } = args;
  if (set === undefined) {
    if (main === undefined || spares.length === 0)
      throw new DmRemapError(
        'usage',
        'which set? give --set NAME for one that is served, or --main and every --spare of one that is not',
      );
    const options = { main, spares, device: args.device, force };
    return {
      plan: () => context.library.planAddSpare(options),
      async add(plan) {
        const done = await context.library.addSpare(options, plan);
        tellLeftToStart(done, context);
        const devices = { setId: done.setId, main, spares: [...spares, args.device] };
        return { done, atBoot: followAtBoot(devices, context), interruptedWhile: undefined };
      },
    };
  }
  if (main !== undefined || spares.length > 0)
    throw new DmRemapError(
      'usage',
      '--set does not go with --main and --spare: a set at work knows its devices',
    );
  const served = await context.running.one(set);
  const request = { device: resolve(args.device), force };
  return {
    plan: async () => planOf(await served.client.addSpare({ ...request, dryRun: true })),
    add: (plan) => addSpareAtWork(served, request, plan, context),
  };
}

export function planText(plan: AddSparePlan, output: Output): string {
  const { device, spareIndex } = plan;
  const identity = [device.model, device.serial === '' ? '' : `serial ${device.serial}`];
  const what = [device.path, formatSize(device.sizeBytes), ...identity.filter((part) => part !== '')];
  const holds = device.signature === null ? 'holds nothing that is recognised' : `holds: ${device.signature}`;
  return formatFields(
    [
      ['set', plan.name === '' ? plan.setId : `${plan.name} (${plan.setId})`],
      [
        `spare ${spareIndex}`,
        `${what.join(', ')}: ${coloured(output, 'red', 'WILL BE OVERWRITTEN')}, ${holds}`,
      ],
      [
        'room',
        `${roomText(plan, plan.usableSpareUnitsBefore)}, then ${roomText(plan, plan.usableSpareUnits)}`,
      ],
    ],
    output.columns,
  );
}

function roomText({ unitBytes }: AddSparePlan, unitCount: number): string {
  return `${formatCount(unitCount, 'unit')} (${formatSize(unitCount * unitBytes)})`;
}

function resultText({ done, atBoot }: AddedSpare): string {
  const { path } = done.device;
  const room = roomText(done, done.usableSpareUnits);
  return `${path} is spare ${done.spareIndex} of the set now: ${room} for bad sectors\n${atBoot ?? neededText(path)}\n`;
}

export function addAddSpareCommand(group: Command, run: (args: AddSpareArguments) => Promise<void>): void {
  const command = group
    .command('add')
    .summary('give a set one more spare')
    .description(
      'Makes a device the next spare of a set, up to eight. Nothing that was moved changes its place; what the other spares ' +
        'have no room for goes to the new one. Copies of the map are put on it, too. A power cut leaves the set with it or ' +
        'without it.\n\n' +
        'A set at work (--set) is closed for a moment: the I/O of its block device waits, NBD clients have to connect again. ' +
        'Ctrl-C ends the command then, and not the adding. A set that is not at work is named by its devices.',
    )
    .argument('<device>', 'block device or image file; what is on it is lost')
    .option('--set <set>', 'name, set id, block device, main device or spare of a set at work')
    .option('--main <path>', 'main device of a set that is not at work')
    .option('--spare <path>', 'a spare that it has; repeat for all', repeated, [])
    .addOption(new Option('--force', 'overwrite a device that holds something').default(false))
    .addOption(new Option('--dry-run', 'show what would be done, and end').default(false))
    .addOption(new Option('--yes', 'do not ask').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action(async (device: string, options: AddOptions) => {
      const { spare: spares, set, main, ...rest } = options;
      await run({ device, set, main, spares, ...rest });
    });
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
      'dmremap spare add /dev/disk/by-id/usb-STICK --set attic',
      'dmremap spare add more.img --main disk.img --spare spare.img',
    ],
  });
}

interface AddOptions {
  readonly set?: string;
  readonly main?: string;
  readonly spare: string[];
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}
