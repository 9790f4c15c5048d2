import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import { DmRemapError } from '../library/errors.js';
import type { AddSparePlan } from '../library/spare-types.js';
import type { CliContext } from './cli-context.js';
import { askConsent, declined } from './consent.js';
import { EXIT_STATUS } from './exit-status.js';
import { devicesWith, followAtBoot } from './follow-at-boot.js';
import { helpLikeManual } from './help.js';
import { coloured, type Output, writeJson } from './output.js';
import { repeated } from './repeated-option.js';
import { formatSize } from './sizes.js';
import { formatFields } from './table.js';
import { untilServed } from './until-served.js';

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
  const { done, atBoot } = await adder.add(plan);
  if (json) writeJson(context.out, { written: true, ...done });
  else context.out.write(resultText(done, atBoot));
  return EXIT_STATUS.done;
}

interface Adder {
  plan(): Promise<AddSparePlan>;
  /** `atBoot`: as `followAtBoot` answers. */
  add(plan: AddSparePlan): Promise<{ readonly done: AddSparePlan; readonly atBoot: string | undefined }>;
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
        const devices = { setId: done.setId, main, spares: [...spares, args.device] };
        return { done, atBoot: followAtBoot(devices, context) };
      },
    };
  }
  if (main !== undefined || spares.length > 0)
    throw new DmRemapError(
      'usage',
      '--set does not go with --main and --spare: a set at work knows its devices',
    );
  const { client, device } = await context.running.one(set);
  const request = { device: resolve(args.device), force };
  return {
    plan: async () => planOf(await client.addSpare({ ...request, dryRun: true })),
    async add() {
      const done = planOf(await client.addSpare(request));
      // Before it is served again: whoever starts it in the place of a process that dies over it has to know.
      const atBoot = followAtBoot(devicesWith(device, request.device), context);
      await untilServed(device, context, ({ spares }) => spares.length > done.spareIndex);
      return { done, atBoot };
    },
  };
}

export function planOf({ version: _, ...plan }: AddSparePlan & { readonly version: number }): AddSparePlan {
  return plan;
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

function resultText(plan: AddSparePlan, atBoot: string | undefined): string {
  const room = roomText(plan, plan.usableSpareUnits);
  const advice = `from now on the set needs it: give --spare ${plan.device.path} behind the others`;
  return `${plan.device.path} is spare ${plan.spareIndex} of the set now: ${room} for bad sectors\n${atBoot ?? advice}\n`;
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
        'A set that is not at work is named by its devices.',
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
    exitStatuses: ['done', 'declined', 'usage', 'device', 'refused', 'metadata', 'io', 'system'],
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
