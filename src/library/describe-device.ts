import type { DeviceIdentity } from '../ports/block-store.js';

/** `/dev/sdb (Stick, serial S1)`: a path and by what a person tells the device itself. */
export function describeDevice(path: string, identity: Pick<DeviceIdentity, 'model' | 'serial'>): string {
  const text = describeIdentity(identity);
  return text === '' ? path : `${path} (${text})`;
}

/** '' where nothing is known. */
export function describeIdentity({ model, serial }: Pick<DeviceIdentity, 'model' | 'serial'>): string {
  return [model, serial === '' ? '' : `serial ${serial}`].filter((part) => part !== '').join(', ');
}
