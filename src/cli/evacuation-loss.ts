import type { RunningSet } from '../control/client/running-sets.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { askConsent } from './consent.js';
import type { Evacuation } from './follow-evacuation.js';
import { coloured, type Output } from './output.js';
import { formatSize } from './sizes.js';
import { formatFields } from './table.js';

/**
 * For `dmremap evacuate --accept-loss`: shows what was copied before the main device went and what would be lost, asks, and
 * has the copying go on without it. False: nobody agreed. Rejects where nothing is being copied, or the device can be read.
 */
export async function acceptEvacuationLoss(
  { client, device }: RunningSet,
  { yes, dryRun }: { readonly yes: boolean; readonly dryRun: boolean },
  context: CliContext,
): Promise<boolean> {
  const evacuation = await client.evacuation();
  if (evacuation === null) throw new DmRemapError('usage', 'nothing is being copied to another disk');
  const isGone = device.gone.some(({ spareIndex, readsPass }) => spareIndex === null && !readsPass);
  if (!isGone)
    throw new DmRemapError('refused', 'the main device can be read, so nothing of it has to be given up');
  const out = dryRun ? context.out : context.err;
  if (dryRun || !yes) out.write(lossText(evacuation, device.main.path, out));
  if (dryRun || (!yes && !(await askConsent(context)))) return false;
  await client.acceptEvacuationLoss();
  return true;
}

function lossText(
  { path, everCopiedBytes, totalBytes, unitsWithLostBlocks }: Evacuation,
  mainPath: string,
  output: Output,
): string {
  const lostBytes = totalBytes - everCopiedBytes;
  const known =
    unitsWithLostBlocks === 0 ? '' : `, beside blocks of ${unitsWithLostBlocks} unit(s) that are already`;
  return formatFields(
    [
      ['from', `${mainPath}, which is not waited for any more`],
      ['to', path],
      ['saved', `${formatSize(everCopiedBytes)} of ${formatSize(totalBytes)}, and what lives on spares`],
      ['lost', `${formatSize(lostBytes)} at most ${coloured(output, 'red', 'WILL BE LOST')}${known}`],
    ],
    output.columns,
  );
}
