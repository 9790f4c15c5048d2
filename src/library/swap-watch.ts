import { errnoName } from '../base/errno.js';
import { useMemoryReserve } from '../kernel/memory-reserve.js';
import { hasSwapOn } from '../kernel/swap-on-device.js';
import type { DeviceNotice } from '../runtime/device-report.js';
import { notice } from '../runtime/notice.js';

/**
 * While a block device is used as swap, memory is freed by this process and by nothing else: its threads may then use
 * the kernel's reserve. Not at other times, because that makes them real-time threads, which run before all others.
 */
export class SwapWatch {
  readonly #path: string;
  readonly #tell: (notice: DeviceNotice) => void;
  readonly #timer: NodeJS.Timeout;
  #isSwap = false;

  /** Its first look is over when it comes back. */
  constructor(path: string, tell: (notice: DeviceNotice) => void) {
    this.#path = path;
    this.#tell = tell;
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS).unref();
    this.#look();
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#isSwap) this.#change(false);
  }

  #look(): void {
    const isSwap = hasSwapOn(this.#path);
    if (isSwap !== this.#isSwap) this.#change(isSwap);
  }

  #change(isSwap: boolean): void {
    this.#isSwap = isSwap;
    const result = useMemoryReserve(isSwap);
    if (result < 0) {
      const message = `${this.#path} is used as swap: memory pressure may stall it: sched_setscheduler: ${errnoName(-result)}`;
      return this.#tell(notice('warn', 'unguarded', message, { errno: errnoName(-result) }));
    }
    const message = `${this.#path} is ${isSwap ? 'used as swap: the process has real-time priority meanwhile' : 'no swap any more'}`;
    this.#tell(notice('info', isSwap ? 'swapOn' : 'swapOff', message, {}));
  }
}

/** The kernel puts nothing out in the first moments, unless memory is short already. */
const LOOK_INTERVAL_MS = 1_000;
