import type { DeviceEvent } from '../device/device-event.js';
import { check } from './check-failure.js';
import type { Life } from './life.js';
import type { SimClock } from './sim-clock.js';

/** Requests that wait for a device which is gone: no longer than the process was told to let them wait. */
export class Holding {
  readonly #clock: SimClock;
  /** A device was found to be gone last, or worse; or the time for which requests may wait has changed. */
  #sinceUs = 0;
  #holdMs = 0;

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  hear({ kind }: DeviceEvent): void {
    if (kind === 'breakerOpened' || kind === 'spareGone') this.#sinceUs = this.#clock.nowUs;
  }

  /** At any time. */
  check({ state, device }: Life): void {
    if (state.kind !== 'open' || device === undefined) return;
    const { holdMs } = device.onGone;
    if (holdMs !== this.#holdMs) this.#sinceUs = this.#clock.nowUs;
    this.#holdMs = holdMs;
    const waitedMs = (this.#clock.nowUs - this.#sinceUs) / 1000;
    if (waitedMs <= holdMs + SLACK_MS) return;
    for (const { target, heldRequests } of device.goneDevices) {
      const what = `${heldRequests} requests wait for device ${target}, gone for ${waitedMs} ms or more`;
      check(heldRequests === 0, 'hangs', `${what}; ${holdMs} ms is how long they may`);
    }
  }
}

const SLACK_MS = 2000;
