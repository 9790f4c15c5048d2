import type { EvacuationState } from '../device/evacuation-progress.js';
import type { RemappedDevice } from '../device/remapped-device.js';
import type { CompletionSink } from '../ports/block-store.js';
import type { Actor } from './actor.js';
import { DiskFront } from './disk-front.js';
import type { SimDisk } from './sim-disk.js';

/** The disk that one process copies everything to, from its beginning to its end. The same steps as src/runtime takes. */
export class LifeReplacement {
  /** The process has ended in order, and the disk held all that the set held: it may take over. */
  isSealed = false;
  readonly #owner: Actor;
  readonly #device: RemappedDevice;
  #front: DiskFront | undefined;

  constructor(owner: Actor, device: RemappedDevice) {
    this.#owner = owner;
    this.#device = device;
  }

  /** One that is being filled is gone on with. */
  begin(disk: SimDisk, copyId: Uint8Array): void {
    const { replacement } = this.#device;
    this.#owner.run(() => {
      if (replacement.isThere) return replacement.tryAgain();
      this.#front = new ThreadFront(disk, this.#owner);
      replacement.begin(this.#front, copyId);
    });
  }

  /** `done` hears when the disk is let go of. */
  cancel(done: () => void): void {
    this.#owner.run(() => this.#device.replacement.cancel(done));
  }

  pause(): void {
    this.#owner.run(() => this.#device.replacement.pause());
  }

  resume(): void {
    this.#owner.run(() => this.#device.replacement.resume());
  }

  /** False: the main device can be read, or is needed to compare, or the spares have no room for all that would be lost. */
  acceptLoss(): boolean {
    const { replacement, context } = this.#device;
    const { totalBytes, everCopiedBytes, pass } = replacement.progress!;
    const { allocator, policy, shape, breaker } = context;
    const missingUnits = Math.ceil((totalBytes - everCopiedBytes) / shape.unitBytes);
    const roomUnits = Math.min(allocator.freeCount, policy.maxMovedUnits - policy.movedCount);
    if (!breaker.stopsReads || pass === 'comparing' || missingUnits > roomUnits) return false;
    this.#owner.run(() => replacement.acceptLoss());
    return true;
  }

  /** The disk has what the set has in this region, or had it before something changed that it may not have. */
  holds(offsetBytes: number, lengthBytes: number): boolean {
    return this.#device.context.mirror.holds(offsetBytes, lengthBytes);
  }

  /** Undefined: nothing is being copied. */
  get state(): EvacuationState | undefined {
    const { replacement } = this.#device;
    return replacement.isThere ? replacement.progress!.state : undefined;
  }

  /** The disk is there under another name. */
  cutOff(): void {
    if (this.#front !== undefined) this.#front.isCutOff = true;
  }

  get isCutOff(): boolean {
    return this.#front?.isCutOff === true;
  }

  /** As the last thing, before the set is closed. */
  seal(done: () => void): void {
    const { metadata, replacement } = this.#device;
    metadata.run(
      () => replacement.seal(),
      (isSealed) => {
        this.isSealed = isSealed;
        done();
      },
    );
  }
}

/** What a disk has done is heard by its thread, whoever of that has opened it. */
class ThreadFront extends DiskFront {
  readonly #actor: Actor;

  constructor(disk: SimDisk, actor: Actor) {
    super(disk, actor);
    this.#actor = actor;
  }

  override attach(sink: CompletionSink): void {
    super.attach({ complete: (ticket, result) => this.#actor.run(() => sink.complete(ticket, result)) });
  }
}
