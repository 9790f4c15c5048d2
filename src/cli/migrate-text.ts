import { formatCount } from '../base/format-count.js';
import { commandLine } from '../base/shell-words.js';
import type { AddSparePlan } from '../library/spare-types.js';
import type { AnswerOf } from './answer-schemas.js';
import type { Output } from './output.js';
import { formatSize } from './sizes.js';
import { planText } from './spare-add.js';
import { formatFields } from './table.js';

/** What a migration would do, before somebody agrees to it. `plan`: of adding the other device, unless it is a spare. */
export function migrationPlanText(
  { from, to, livingUnits }: MigrationPlan,
  plan: AddSparePlan | undefined,
  output: Output,
): string {
  const moves = `${formatCount(livingUnits, 'unit')} to ${to}, then it is no spare of the set any more`;
  const fields = formatFields([['from', `${from}: ${moves}`]], output.columns);
  return `${plan === undefined ? '' : planText(plan, output)}${fields}`;
}

export interface MigrationPlan {
  readonly from: string;
  readonly to: string;
  readonly livingUnits: number;
}

export function migratedText(
  { from, to, movedUnits, unitBytes, usableSpareUnits }: Omit<AnswerOf<'migrate'>, 'version'>,
  atBoot: string | undefined,
): string {
  const room = `${formatCount(usableSpareUnits, 'unit')} (${formatSize(usableSpareUnits * unitBytes)})`;
  return (
    `${from} is no spare of the set any more, and holds nothing of it; ${formatCount(movedUnits, 'unit')} moved; ` +
    `${room} for bad sectors\n` +
    `${atBoot ?? `give ${commandLine(['--spare', to])}, and no more for ${from} ("dmremap boot enable" again, if the set starts at boot)`}\n`
  );
}
