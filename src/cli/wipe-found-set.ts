import { existsSync, statSync } from 'node:fs';
import { formatCount } from '../base/format-count.js';
import { DmRemapError } from '../library/errors.js';
import type { ScannedSet } from '../library/scan-types.js';
import type { WipeOptions, WipePlan, WipeTarget } from '../library/wipe-set.js';
import type { CliContext } from './cli-context.js';
import { coloured, type Output } from './output.js';
import { pickScannedSet } from './pick-scanned-set.js';
import { labelOf, servedDevicesOf } from './scan-verdict.js';
import { formatSize } from './sizes.js';
import { formatFields } from './table.js';

/** The metadata of a set that nobody serves, as it was found on devices, and what would be lost with it. */
export interface FoundMetadata {
  readonly set: ScannedSet;
  readonly options: WipeOptions;
  readonly plan: WipePlan;
}

export interface WipeArguments {
  /** Name, set id, or a device of it. */
  readonly set: string;
  /** Devices and images to look at; empty: all block devices. */
  readonly devices: readonly string[];
  readonly force: boolean;
}

/** Looks for the spares of the set. Refuses what is not the whole set, or holds what would be lost. */
export async function findMetadata(
  { set: wanted, devices, force }: WipeArguments,
  { library, running }: CliContext,
): Promise<FoundMetadata> {
  const named = existsSync(wanted) && statSync(wanted).isFile() ? [wanted, ...devices] : devices;
  const { sets } = await library.scanSets({
    paths: named.length === 0 ? undefined : named,
    served: servedDevicesOf(await running.all()),
  });
  const set = pickScannedSet(sets, wanted);
  // What is wrong with the main device does not matter: it carries nothing of the set.
  const [problem] = set.problems.filter(({ id, blocks }) => blocks && TWINS.has(id));
  if (problem !== undefined && !force)
    throw new DmRemapError(
      'refused',
      `${labelOf(set)}: ${problem.message}; name with --device what is to be erased`,
    );
  const spares = set.spares.flatMap(({ path }) => path ?? []);
  const options = { setId: set.setId, spares, force };
  return { set, options, plan: await library.planWipe(options) };
}

export function wipePlanText({ set, plan }: FoundMetadata, output: Output): string {
  const { name, setId } = set;
  const { movedUnits, missingSpares } = plan;
  const lost = movedUnits === null ? 'nobody can tell' : formatCount(movedUnits, 'unit');
  const missing: [string, string][] =
    missingSpares === 0 ? [] : [['not found', `${formatCount(missingSpares, 'spare')}, not erased`]];
  return formatFields(
    [
      ['set', name === '' ? setId : `${name} (${setId})`],
      ['main', `${set.main.path ?? '(not found)'}: is not written`],
      ...plan.spares.map((spare): [string, string] => [
        'spare',
        `${targetText(spare)}: ${coloured(output, 'red', 'ITS METADATA WILL BE ERASED')}, holds: a spare of this set`,
      ]),
      ...missing,
      [
        'lost',
        movedUnits === 0 ? 'nothing: no unit lives on the spares' : `what lives on the spares: ${lost}`,
      ],
    ],
    output.columns,
  );
}

export function wipedText({ spares }: WipePlan): string {
  const paths = spares.map(({ path }) => path).join(', ');
  return `${paths}: nothing of the set is there any more, and it can be used for something else\n`;
}

function targetText({ path, sizeBytes, model, serial }: WipeTarget): string {
  const identity = [model, serial === '' ? '' : `serial ${serial}`].filter((part) => part !== '');
  return [path, formatSize(sizeBytes), ...identity].join(', ');
}

/** Only one of them would be erased. */
const TWINS = new Set(['spareSeenTwice', 'sparesDiverged']);
