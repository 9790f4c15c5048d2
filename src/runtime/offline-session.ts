import { assert } from '../base/assert.js';
import { failed, ok, type Result } from '../base/result.js';
import { EffectRunner, type RunnerServices } from '../device/effect-runner.js';
import { COLD_TICKET_COUNT, OFFLINE_TICKET_COUNT } from '../device/limits.js';
import { layOutColdMemory } from '../device/memory-map.js';
import { MAIN, type Procedure } from '../engine/effect.js';
import { type MappedMemory, mapMemory } from '../kernel/aligned-memory.js';
import { NodeReactor } from '../kernel/node-reactor.js';
import type { OpenDevice } from '../kernel/open-device.js';
import { closeDevice, openDevice } from '../kernel/open-device.js';
import { describeOpenFailure } from '../kernel/open-failure.js';
import { PortableStore } from '../kernel/portable-store.js';
import type { Geometry } from '../ports/block-store.js';
import type { Failure } from './failure.js';
import { failure } from './failure.js';

/** Devices that are looked at or written to while no device thread runs: format, inspect, export. */
export class OfflineSession {
  readonly memory: MappedMemory = mapMemory(MEMORY.endOffset);
  /** Room for `RECOVERY_READ_BYTES` of each copy. */
  readonly bufferOffset = MEMORY.recoveryOffset;
  /** Room for `MAX_COMMIT_PAGES` pages of each copy. */
  readonly commitOffset = MEMORY.commitOffset;
  /** In the order of the paths. */
  readonly geometries: readonly Geometry[];
  readonly #stores: readonly PortableStore[];
  /** By target. */
  readonly #targets: PortableStore[];
  readonly #reactor = new NodeReactor();
  readonly #runner: EffectRunner;

  /** Opens all of them, or none. */
  static open(paths: readonly OfflinePath[]): Result<OfflineSession, Failure> {
    const opened: OpenDevice[] = [];
    for (const { path, readOnly, exclusive = !readOnly, fileLogicalBlockBytes } of paths) {
      const device = openDevice(path, {
        readOnly,
        exclusive,
        ...(fileLogicalBlockBytes && { fileLogicalBlockBytes }),
      });
      if (!device.ok) {
        opened.forEach(closeDevice);
        return failed(failure('device', describeOpenFailure(device.error)));
      }
      opened.push(device.value);
    }
    return ok(new OfflineSession(opened));
  }

  private constructor(devices: readonly OpenDevice[]) {
    this.geometries = devices.map((device) => device.geometry);
    this.#stores = devices.map((device) => new PortableStore(device, this.memory, OFFLINE_TICKET_COUNT));
    this.#targets = [...this.#stores];
    const refuse = (): never => assert(false, 'no device is at work') as never;
    const services: RunnerServices = {
      lock: refuse,
      tryLock: refuse,
      unlock: refuse,
      commit: refuse,
      unsettle: refuse,
      noteWritten: () => {},
      noteFlushStarted: () => {},
      noteFlushEnded: () => {},
    };
    this.#runner = new EffectRunner({
      stores: this.#targets,
      scheduler: this.#reactor,
      firstTicket: 0,
      ticketCount: COLD_TICKET_COUNT,
      services,
    });
    for (const store of this.#stores) store.attach(this.#runner);
  }

  /** Spare n of a set is target 1 + n from now on, for procedures that write; `deviceOfSpare`: positions of the paths. */
  arrangeSpares(deviceOfSpare: readonly number[]): void {
    for (const [spareIndex, position] of deviceOfSpare.entries())
      this.#targets[1 + spareIndex] = this.#stores[position]!;
  }

  /** The main device of a set is the one at this position from now on. */
  arrangeMain(position: number): void {
    this.#targets[MAIN] = this.#stores[position]!;
  }

  /** Targets are the positions of the paths, unless they were arranged otherwise. */
  run<Value>(procedure: Procedure<Value>): Promise<Value> {
    return new Promise((resolve) => this.#runner.start(procedure, resolve));
  }

  close(): void {
    for (const store of this.#stores) store.close();
    this.#reactor.close();
    this.memory.unmap();
  }
}

export interface OfflinePath {
  readonly path: string;
  readonly readOnly: boolean;
  /** Nobody else may hold it; by itself only what is opened for writing. */
  readonly exclusive?: boolean;
  readonly fileLogicalBlockBytes?: number;
}

const MEMORY = layOutColdMemory();
