import type { DeviceNotice } from './device-report.js';

export function notice(
  level: DeviceNotice['level'],
  event: string,
  message: string,
  details: DeviceNotice['details'],
): DeviceNotice {
  return { level, event, message, details };
}
