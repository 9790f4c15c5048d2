import type { SettingChanges } from '../../settings/setting-changes.js';

/** `dmremap set`: settings are changed while the set is in use. */
export interface SetStep {
  readonly kind: 'set';
  readonly changes: SettingChanges;
  /** Events that happen after it has begun. */
  readonly events: number;
}
