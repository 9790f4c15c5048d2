import type { RemappedDevice } from '../../device/remapped-device.js';
import { FOREVER_SECONDS } from '../../settings/setting-kind.js';
import type { SettingValues } from '../../settings/setting-table.js';
import { check } from '../check-failure.js';

/** What a device at work goes by, where it can be told, is what its settings say (docs/settings.md). */
export function checkGoesBy({ context, onGone }: RemappedDevice, values: SettingValues): void {
  const { policy, placement, lostReadsAsZero } = context;
  const goesBy = [
    onGone.holdMs,
    policy.maxMovedUnits,
    policy.recoveredReadsUntilMove,
    placement.policy,
    lostReadsAsZero,
  ];
  const wanted = [
    values.on_gone === FOREVER_SECONDS ? Number.POSITIVE_INFINITY : values.on_gone * 1000,
    values.max_remaps === 0 ? Number.POSITIVE_INFINITY : values.max_remaps,
    values.error_threshold,
    POLICIES[values.allocation_policy],
    values.on_lost === 1,
  ];
  check(
    goesBy.every((each, nth) => each === wanted[nth]),
    'settings',
    `the device goes by ${goesBy.join(', ')}, and is to go by ${wanted.join(', ')}`,
  );
}

const POLICIES = ['sequential', 'near', 'spread', 'balance'];
