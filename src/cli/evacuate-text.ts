import { formatCount } from '../base/format-count.js';
import { commandLine } from '../base/shell-words.js';
import type { DeviceResource } from '../control/schema/device.js';
import type { EvacuationPlan } from '../library/plan-evacuation.js';
import type { ReplaceMainPlan } from '../library/replace-main.js';
import { coloured, type Output } from './output.js';
import { formatSize } from './sizes.js';
import { formatFields } from './table.js';

/** What copying a set to another disk would do, before somebody agrees to it. */
export function evacuationPlanText(
  { device, sizeBytes }: EvacuationPlan,
  { name, setId, main }: DeviceResource,
  output: Output,
): string {
  const holds = device.signature === null ? 'holds nothing that is recognised' : `holds: ${device.signature}`;
  return formatFields(
    [
      ['set', name === '' ? setId : `${name} (${setId})`],
      ['from', `${diskText(main)}, ${formatSize(sizeBytes)} with what lives on spares`],
      ['to', `${diskText(device)}: ${coloured(output, 'red', 'WILL BE OVERWRITTEN')}, ${holds}`],
    ],
    output.columns,
  );
}

/** `before`: the set as it was. `called`: as the person calls it. */
export function evacuatedText(
  replaced: ReplaceMainPlan,
  { main }: DeviceResource,
  called: string,
  atBoot: string | undefined,
): string {
  const { device, unitsWithLostBlocks } = replaced;
  const lost =
    unitsWithLostBlocks === 0
      ? 'everything was saved; nothing lives on the spares any more\n'
      : `what could not be saved: blocks of ${formatCount(unitsWithLostBlocks, 'unit')}. Reading them gives an error until they are written: see "${commandLine(['dmremap', 'lost', called])}"\n`;
  return (
    `${device.path} is the main device now; ${main.path} is not used any more and may be taken away\n` +
    lost +
    `${atBoot ?? mainAdvice(device.path)}\n`
  );
}

/** What else names a main device, and has to be changed by a person. */
export function mainAdvice(path: string): string {
  return `from now on give ${commandLine(['--main', path])}: in the configuration, and with "dmremap boot enable" again, if the set starts at boot`;
}

function diskText(disk: DiskOnLine): string {
  const identity = [disk.model, disk.serial === '' ? '' : `serial ${disk.serial}`];
  return [disk.path, formatSize(disk.sizeBytes), ...identity.filter((part) => part !== '')].join(', ');
}

interface DiskOnLine {
  readonly path: string;
  readonly sizeBytes: number;
  readonly model: string;
  readonly serial: string;
}
