import { unreachable } from '../../base/assert.js';
import { labelOf } from '../../control/client/pick-set.js';
import type { DeviceResource } from '../../control/schema/device.js';
import type { Output } from '../output.js';
import { humanStatus } from './human-status.js';
import { moduleFigures } from './module-figures.js';
import { compactStatus, csvStatus, jsonStatus } from './status-formats.js';
import { v2Line, v4Line } from './status-lines.js';

/** What `dmremap status --format` offers beside its own text. */
export const MODULE_FORMATS = ['v2', 'v4', 'human', 'json', 'csv', 'compact'] as const;

export type ModuleFormat = (typeof MODULE_FORMATS)[number];

/** Sets in a format of the kernel module's tools. `isNamed`: lines begin with the set's name, as where dmsetup tells of all. */
export function moduleStatus(
  sets: readonly DeviceResource[],
  format: ModuleFormat,
  isNamed: boolean,
  out: Output,
): string {
  const nowMs = Date.now();
  const hasPrefix = isNamed && (format === 'v2' || format === 'v4' || format === 'compact');
  const texts = sets.map(
    (set) => `${hasPrefix ? `${labelOf(set)}: ` : ''}${textOf(set, format, nowMs, out)}\n`,
  );
  return texts.join('');
}

function textOf(set: DeviceResource, format: ModuleFormat, nowMs: number, out: Output): string {
  const figures = moduleFigures(set, Math.floor(nowMs / 1000));
  switch (format) {
    case 'v2':
      return v2Line(set);
    case 'v4':
      return v4Line(figures);
    case 'human':
      return humanStatus(figures, out);
    case 'json':
      return jsonStatus(figures, nowMs);
    case 'csv':
      return csvStatus(figures, nowMs);
    case 'compact':
      return compactStatus(figures);
    default:
      return unreachable(format);
  }
}
