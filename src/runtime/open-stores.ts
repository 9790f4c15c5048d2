import { failed, ok, type Result } from '../base/result.js';
import { TICKET_COUNT } from '../device/limits.js';
import { InlineStore } from '../kernel/inline-store.js';
import { isMemoryFile } from '../kernel/memory-file.js';
import type { OpenDevice, OpenOptions } from '../kernel/open-device.js';
import { closeDevice, openDevice } from '../kernel/open-device.js';
import { describeOpenFailure, type OpenFailure } from '../kernel/open-failure.js';
import { PortableStore } from '../kernel/portable-store.js';
import { statIfThere } from '../kernel/stat-if-there.js';
import { UringStore } from '../kernel/uring-store.js';
import type { BlockStore } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { FaultRule, FaultScenario } from '../storage/fault-rule.js';
import { FaultStore } from '../storage/fault-store.js';
import type { Backend } from './backend.js';
import type { Failure } from './failure.js';
import { failure } from './failure.js';
import { HealedSectorsFile } from './healed-sectors-file.js';

/** Opens the main device and the spares, in that order, for sole use; on failure none stays open. */
export function openStores(options: OpenStoresOptions): Result<OpenedStore[], Failure> {
  const opened: OpenDevice[] = [];
  const untilMs = performance.now() + options.openPatienceMs;
  for (const path of [options.main, ...options.spares]) {
    const fileLogicalBlockBytes = opened[0]?.geometry.logicalBlockBytes ?? 512;
    // Of a main device that takes no writes any more, what it holds is wanted all the more.
    const takesReadOnly = opened.length === 0;
    const device = openPatiently(path, { fileLogicalBlockBytes, takesReadOnly }, untilMs);
    if (!device.ok) {
      for (const other of opened) closeDevice(other);
      const isRepeated = opened.some((other) => isSameDevice(other.path, path));
      return failed(isRepeated ? givenTwice(path) : failure('device', describeOpenFailure(device.error)));
    }
    opened.push(device.value);
  }
  const stores: OpenedStore[] = [];
  for (const [index, device] of opened.entries()) {
    const store = withFaults(
      storeOf(device, options, TICKET_COUNT),
      device.path,
      rulesOf(options.scenario, index),
      options,
    );
    if (!store.ok) {
      for (const other of opened) closeDevice(other);
      return store;
    }
    stores.push({ store: store.value, device });
  }
  return ok(stores);
}

/** A store, and what it was made of. */
export interface OpenedStore {
  readonly store: BlockStore;
  readonly device: OpenDevice;
}

/**
 * A process that was killed holds its devices until its last I/O has ended: no write of it can come after ours. On a
 * failing disk that takes a while.
 */
function openPatiently(
  path: string,
  options: Pick<OpenOptions, 'fileLogicalBlockBytes' | 'takesReadOnly'>,
  untilMs: number,
): Result<OpenDevice, OpenFailure> {
  for (;;) {
    const device = openDevice(path, { readOnly: false, exclusive: true, ...options });
    const isHeld = !device.ok && (device.error.kind === 'busy' || device.error.kind === 'locked');
    if (!isHeld || performance.now() >= untilMs) return device;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_RETRY_MS);
  }
}

/** Its own lock is what a device that is given twice runs into: the message should name the mistake. */
function givenTwice(path: string): Failure {
  return failure('usage', `${path}: given twice; main device and spares must all differ`);
}

function isSameDevice(onePath: string, otherPath: string): boolean {
  const one = statIfThere(onePath);
  const other = statIfThere(otherPath);
  if (one === undefined || other === undefined) return false;
  if (one.isBlockDevice() && other.isBlockDevice()) return one.rdev === other.rdev;
  return one.dev === other.dev && one.ino === other.ino;
}

export interface OpenStoresOptions {
  readonly main: string;
  readonly spares: readonly string[];
  /** Path of a fault scenario, and what it says. */
  readonly faults: string | undefined;
  readonly scenario: FaultScenario;
  readonly openPatienceMs: number;
  readonly backend: Backend;
  readonly memory: IoMemory;
}

/** Files in memory are read and written at once: io_uring would hand each such I/O to a kernel thread. */
export function storeOf(
  device: OpenDevice,
  { backend, memory }: Pick<OpenStoresOptions, 'backend' | 'memory'>,
  ticketCount: number,
): BlockStore {
  if (backend.kind === 'portable') return new PortableStore(device, memory, ticketCount);
  if (device.kind === 'file' && isMemoryFile(device.fd))
    return new InlineStore(device, memory, backend.reactor, ticketCount);
  return new UringStore(device, memory, backend.reactor.ring, ticketCount);
}

function withFaults(
  store: BlockStore,
  imagePath: string,
  rules: readonly FaultRule[],
  { backend, memory, faults }: OpenStoresOptions,
): Result<BlockStore, Failure> {
  if (rules.length === 0 || faults === undefined) return ok(store);
  const surroundings = { scheduler: backend.reactor, memory };
  if (!rules.some((rule) => rule.healsOnWrite)) return ok(new FaultStore(store, rules, surroundings));
  const healed = HealedSectorsFile.open(faults, imagePath);
  return healed.ok ? ok(new FaultStore(store, rules, { ...surroundings, healed: healed.value })) : healed;
}

function rulesOf(scenario: FaultScenario, index: number): readonly FaultRule[] {
  return index === 0 ? scenario.main : (scenario.spares[index - 1] ?? []);
}

const OPEN_RETRY_MS = 100;
