import { resolve } from 'node:path';
import { NoAnswer } from '../control/client/no-answer.js';
import type { RunningSet } from '../control/client/running-sets.js';
import { DmRemapError } from '../library/errors.js';
import type { AddSparePlan } from '../library/spare-types.js';
import { planOf } from './add-spare-at-work.js';
import type { AnswerOf } from './answer-schemas.js';
import { askPatiently } from './ask-patiently.js';
import type { CliContext } from './cli-context.js';
import { askConsent, declined } from './consent.js';
import { EXIT_STATUS } from './exit-status.js';
import { devicesOf, devicesWith, followAtBoot } from './follow-at-boot.js';
import { roomBeside } from './jobs/room-elsewhere.js';
import type { MigrateArguments } from './migrate.js';
import { migrationPlanText } from './migrate-text.js';
import { writeAnswer } from './output.js';
import { findSpare } from './spare-number.js';
import { tellLeftToStart } from './tell-left-to-start.js';
import { INTERRUPTED, interruption, unlessInterrupted } from './unless-interrupted.js';
import { untilServed } from './until-served.js';

/**
 * Makes the device that is migrated to a spare of the set, unless it is one, after somebody has agreed. Answers the set as it
 * is then; an exit status: there is nothing more to be done.
 */
export async function addMigrationTarget(
  set: RunningSet,
  fromIndex: number,
  args: MigrateArguments,
  context: CliContext,
): Promise<RunningSet | number> {
  const { client, device } = set;
  const toIndex = findSpare(args.to, device);
  const to = toIndex === undefined ? resolve(args.to) : device.spares[toIndex]!.path;
  const request = { device: to, force: args.force };
  const migration = { from: device.spares[fromIndex]!.path, to, isSpare: toIndex !== undefined };
  const interrupted = interruption(context.stopSignals);
  const agreed = await unlessInterrupted(agree(set, fromIndex, migration, args, context), interrupted);
  if (agreed === INTERRUPTED) return tellInterrupted(device, migration, 'nothing was begun', args, context);
  if (agreed !== 'agreed') return agreed;
  if (migration.isSpare) return set;
  const added = await unlessInterrupted(addPatiently(set, request, context), interrupted);
  if (added !== INTERRUPTED) return { client, device: added };
  const goesOn = `the process that serves the set goes on adding ${to}; call the command again to have everything moved there`;
  return tellInterrupted(device, migration, goesOn, args, context);
}

interface Migration {
  readonly from: string;
  readonly to: string;
  /** The other one is a spare already. */
  readonly isSpare: boolean;
}

/** Shows what would be done and asks; an exit status: that is all. Nothing was begun by then. */
async function agree(
  set: RunningSet,
  fromIndex: number,
  { from, to, isSpare }: Migration,
  args: MigrateArguments,
  context: CliContext,
): Promise<'agreed' | number> {
  const asked = { device: to, force: args.force, dryRun: true };
  const plan = isSpare ? undefined : planOf(await set.client.addSpare(asked));
  const livingUnits = await livingIfRoom(set, fromIndex, plan);
  const migration = { from, to, livingUnits };
  const out = args.dryRun && !args.json ? context.out : context.err;
  if (args.dryRun || (plan !== undefined && !args.yes)) out.write(migrationPlanText(migration, plan, out));
  if (args.dryRun) return tellPlan(set, args, migration, plan, context);
  if (plan === undefined || args.yes || (await askConsent(context))) return 'agreed';
  return declined(context, args.json);
}

function tellInterrupted(
  device: RunningSet['device'],
  { from, to }: Migration,
  told: string,
  { json }: MigrateArguments,
  { out, err }: CliContext,
): number {
  err.write(`dmremap: ${told}\n`);
  if (json) {
    const soFar = migrationSoFar(device, from, to);
    writeAnswer<AnswerOf<'migrate'>>(out, { ...soFar, movedUnits: 0, interrupted: true });
  }
  return EXIT_STATUS.interrupted;
}

/** What programs are told of a migration that has not come to its end, beside how much was moved. */
export function migrationSoFar(device: RunningSet['device'], from: string, to: string) {
  const { setId, name, unitBytes, usableSpareUnits } = device;
  return { written: false, setId, name, from, to, unitBytes, usableSpareUnits };
}

/** How many units are to move. Rejects where the others, and the new spare, have no room for them. */
async function livingIfRoom(
  { client }: RunningSet,
  fromIndex: number,
  plan: AddSparePlan | undefined,
): Promise<number> {
  const use = await client.spareUse();
  const { livingUnits } = use[fromIndex]!;
  const added = plan === undefined ? 0 : plan.usableSpareUnits - plan.usableSpareUnitsBefore;
  const room = (roomBeside(fromIndex, use) ?? 0) + added;
  if (livingUnits <= room) return livingUnits;
  throw new DmRemapError(
    'refused',
    `${livingUnits} unit(s) live on spare ${fromIndex}, and the others would have room for ${room}: take a larger device`,
  );
}

function tellPlan(
  { device }: RunningSet,
  { json }: MigrateArguments,
  { from, to, livingUnits }: { from: string; to: string; livingUnits: number },
  plan: AddSparePlan | undefined,
  context: CliContext,
): number {
  const soFar = migrationSoFar(device, from, to);
  const usableSpareUnits = plan?.usableSpareUnits ?? soFar.usableSpareUnits;
  if (json)
    writeAnswer<AnswerOf<'migrate'>>(context.out, { ...soFar, usableSpareUnits, movedUnits: livingUnits });
  return EXIT_STATUS.done;
}

/** A process that dies over it leaves the set with the new spare or without it: then it is added again. */
async function addPatiently(
  { client, device }: RunningSet,
  request: { readonly device: string; readonly force: boolean },
  context: CliContext,
) {
  const hasIt = ({ spares }: RunningSet['device']): boolean =>
    spares.some(({ path }) => path === request.device);
  for (let { force } = request; ; force = true) {
    try {
      tellLeftToStart(await client.addSpare({ ...request, force }), context);
      const devices = devicesWith(device, request.device);
      followAtBoot(devices, context);
      return await untilServed(device, context, hasIt, devices);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
    // It may have become a spare before that process died.
    const now = await askPatiently(() => client.device(), device, context, null);
    if (!hasIt(now)) continue;
    followAtBoot(devicesOf(now), context);
    return now;
  }
}
