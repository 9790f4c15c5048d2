import type { DeviceResource } from '../../control/schema/device.js';
import { escapePath } from './escaped-path.js';
import {
  automaticRemaps,
  type ModuleFigures,
  readErrors,
  unitSectors,
  writeErrors,
} from './module-figures.js';

/** The line of the kernel module's v2, as `dmsetup status` prints it: sectors moved, lost and used, of those usable. */
export function v2Line(device: DeviceResource): string {
  const { remappedUnits, unitsWithLostBlocks, freeSpareUnits, usableSpareUnits, recently } = device;
  const sectors = unitSectors(device);
  const used = usableSpareUnits - freeSpareUnits;
  const isCritical = device.health.state === 'critical';
  const [moved, lost, taken] = [remappedUnits, unitsWithLostBlocks, used].map(
    (units) => `${units * sectors}/${usableSpareUnits * sectors}`,
  );
  return [
    `0 ${device.sizeBytes / 512} remap v2.0 ${moved} ${lost} ${taken}`,
    `health=${isCritical ? CRITICAL : v2Health(remappedUnits * sectors, used, usableSpareUnits)}`,
    `errors=W${writeErrors(device)}:R${readErrors(device)}`,
    `auto_remaps=${automaticRemaps(device)} manual_remaps=${recently.counters.remapsByHand} scan=0%`,
  ].join(' ');
}

/** Also of a set with lost blocks, or whose main device does not answer: the module's bands know nothing of these. */
const CRITICAL = 4;

/** 0 excellent, 1 good, 2 fair, 3 poor, 4 critical: the module's own bands, by moved sectors and by use of the spare. */
function v2Health(movedSectors: number, usedUnits: number, usableUnits: number): number {
  const usedPart = usableUnits === 0 ? 1 : usedUnits / usableUnits;
  if (usedPart >= 0.9) return CRITICAL;
  if (usedPart > 0.5 || movedSectors > 100) return 3;
  if (usedPart > 0.1 || movedSectors > 10) return 2;
  return movedSectors > 0 ? 1 : 0;
}

/** The line of the module's v4: 31 fields, blanks between them. */
export function v4Line(figures: ModuleFigures): string {
  return Object.values({ ...figures, ...blanksEscaped(figures) }).join(' ');
}

function blanksEscaped({ mainPath, sparePath }: ModuleFigures): Partial<ModuleFigures> {
  return { mainPath: escapePath(mainPath), sparePath: escapePath(sparePath) };
}
