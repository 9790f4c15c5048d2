import type { DeviceEvent } from '../device/device-event.js';
import type { RemappedDevice } from '../device/remapped-device.js';
import type { RemapTable } from '../engine/remap-table.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { usableUnitCountOf } from '../format/reserved-units.js';
import type { DeviceSettings } from './device-settings.js';
import type { Mailbox } from './mailbox.js';
import { RemapPace, type SpareForecast } from './remap-pace.js';
import { SpareAlerts } from './spare-alerts.js';

/** Tells when little room for bad sectors is left on the spares of a device at work. */
export class SpareWatch {
  readonly #device: RemappedDevice;
  readonly #settings: DeviceSettings;
  readonly #mailbox: Mailbox;
  readonly #alerts = new SpareAlerts();
  readonly #pace = new RemapPace();
  #movedBefore: number;

  constructor(device: RemappedDevice, settings: DeviceSettings, mailbox: Mailbox) {
    this.#device = device;
    this.#settings = settings;
    this.#mailbox = mailbox;
    this.#movedBefore = device.context.policy.movedCount;
    this.#takePaceOf(device.context.table);
  }

  /** Only some events change what room there is. */
  onEvent({ kind }: DeviceEvent): void {
    if (kind === 'remapped' || kind === 'givenBack' || kind === 'spareUnitRetired') this.check();
  }

  check(): void {
    const { spare_warning_percent: warningPercent, emergency_threshold: emergencyPercent } =
      this.#settings.values;
    const { movedCount } = this.#device.context.policy;
    if (movedCount > this.#movedBefore) this.#pace.note(nowSeconds(), movedCount - this.#movedBefore);
    this.#movedBefore = movedCount;
    const use = { ...roomOn(this.#device), warningPercent, emergencyPercent };
    const alert = this.#alerts.check(use, this.forecast);
    if (alert !== undefined) this.#mailbox.tell(alert);
  }

  /** When the spares are full if it goes on so. */
  get forecast(): SpareForecast | undefined {
    return this.#pace.forecast(roomOn(this.#device).freeUnits, nowSeconds());
  }

  /** Units that left the main device before this start; moves from spare to spare are none. */
  #takePaceOf(table: RemapTable): void {
    for (let spareUnit = 0; spareUnit < table.spareUnitCapacity; spareUnit += 1)
      if (table.state(spareUnit) === DescriptorState.mapped && table.moveCount(spareUnit) === 0)
        this.#pace.note(table.timeSeconds(spareUnit));
  }
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/**
 * Units that the main device may still lose, and all that may live on spares: no more than `max_remaps` allows. A spare that is
 * being emptied has no room, and what is free on one that takes no unit is none, unless somebody wants to try it again.
 */
export function roomOn({ context, metadata }: RemappedDevice, triesAgain = false): Room {
  const { policy, allocator, shape, suspension } = context;
  const { maxMovedUnits, movedCount } = policy;
  let freeUnits = allocator.freeCount;
  let usableUnits = 0;
  for (const [spareIndex, { firstUnit, unitCount }] of shape.spares.entries()) {
    const isLeaving = suspension.isLeaving(spareIndex);
    const isRefusing = !triesAgain && suspension.refusals.has(spareIndex);
    const outOfUse = isLeaving || isRefusing ? allocator.freeIn(firstUnit, unitCount) : 0;
    freeUnits -= outOfUse;
    if (!isLeaving) usableUnits += usableUnitCountOf(metadata.superblock, spareIndex) - outOfUse;
  }
  return {
    freeUnits: Math.min(freeUnits, Math.max(0, maxMovedUnits - movedCount)),
    usableUnits: Math.min(usableUnits, maxMovedUnits),
    isAtLimit: freeUnits > 0 && movedCount >= maxMovedUnits,
  };
}

export interface Room {
  readonly freeUnits: number;
  readonly usableUnits: number;
  /** It is `max_remaps` that leaves none: there would be places. */
  readonly isAtLimit: boolean;
}
