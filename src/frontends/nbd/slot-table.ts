import type { RequestSink, ServedDevice } from '../../ports/served-device.js';
import { TurnGate } from './turn-gate.js';

/** Device slots this server has in use, with what to give back when each completes. */
export class SlotTable {
  readonly gate = new TurnGate();
  readonly request: Int32Array;
  /** Buffer to free at completion, or -1. */
  readonly buffer: Float64Array;
  /** Inbox the device writes from, or -1. */
  readonly inbox: Int32Array;
  private readonly device: ServedDevice;
  private readonly sink: RequestSink;
  private count = 0;

  constructor(device: ServedDevice, sink: RequestSink) {
    this.device = device;
    this.sink = sink;
    this.request = new Int32Array(device.slotCount).fill(-1);
    this.buffer = new Float64Array(device.slotCount).fill(-1);
    this.inbox = new Int32Array(device.slotCount).fill(-1);
  }

  get inUse(): number {
    return this.count;
  }

  /** A slot for a device operation of this request, or -1 when the connection must try again later. */
  acquire(connection: number, request: number): number {
    if (!this.gate.mayTake(connection)) return -1;
    const slot = this.device.acquire(this.sink);
    if (slot === -1) {
      this.gate.blocked(connection);
      return -1;
    }
    this.gate.passed(connection);
    this.count += 1;
    this.request[slot] = request;
    this.buffer[slot] = -1;
    this.inbox[slot] = -1;
    return slot;
  }

  /** The device completed: the slot is its own again. */
  finished(slot: number): void {
    this.request[slot] = -1;
    this.count -= 1;
  }
}
