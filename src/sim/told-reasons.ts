import type { DeviceEvent } from '../device/device-event.js';
import { DescriptorReason } from '../format/descriptor-page.js';
import { check } from './check-failure.js';
import type { MappingOnDisk } from './metadata-reader.js';

/** Why units have moved, as the process has told: what the disks say of it, and nothing that contradicts itself. */
export class ToldReasons {
  /** By spare unit, of the last unit that was said to move there. */
  readonly #reasons = new Map<number, number>();

  newLife(): void {
    this.#reasons.clear();
  }

  hear(event: DeviceEvent): void {
    if (event.kind !== 'remapped') return;
    const { mainUnit, spareUnit, lostMask, reason } = event;
    this.#reasons.set(spareUnit, reason);
    const isWhole = reason !== DescriptorReason.recoveredRead || lostMask === 0;
    check(isWhole, 'untold', `unit ${mainUnit} is said to be recovered, and blocks of it are lost`);
  }

  check({ spareUnit, mainUnit, reason }: MappingOnDisk): void {
    const told = this.#reasons.get(spareUnit) ?? reason;
    check(told === reason, 'untold', `unit ${mainUnit} was said to move for reason ${told}, not ${reason}`);
  }
}
