import type { Excuses } from './excuses.js';
import type { ComeBack } from './history.js';
import type { Ledger } from './ledger.js';
import type { Machine } from './machine.js';
import { SimDisk } from './sim-disk.js';

/** Disks that vanish and come back, one at a time; or something else comes in their place. */
export class Outages {
  /** A spare has missed updates of the metadata: the next start may refuse it as stale, which `force` lifts. */
  spareMayLag = false;
  readonly #machine: Machine;
  readonly #ledger: Ledger;
  readonly #excuses: Excuses;
  #gone = -1;

  constructor(machine: Machine, ledger: Ledger, excuses: Excuses) {
    this.#machine = machine;
    this.#ledger = ledger;
    this.#excuses = excuses;
  }

  vanish(target: number): void {
    if (this.#gone !== -1) return;
    this.#gone = target;
    this.#machine.disks[target]!.isGone = true;
    this.#excuses.noteGone(this.#machine.clock.nowUs);
    if (target !== 0) this.spareMayLag = true;
  }

  /** `keepTimes`: of 8, how much of its cache was written back. */
  comeBack(how: ComeBack, keepTimes: number, impostor: SimDisk | undefined): void {
    if (this.#gone === -1) return;
    const target = this.#gone;
    const disk = this.#machine.disks[target]!;
    if (how === 'inPlace' || this.#machine.life?.state.kind !== 'open') return this.#comeBackInPlace();
    if (impostor !== undefined) return this.#present(impostor, how);
    disk.loseCache(keepTimes, (block) => this.#ledger.reverting(disk, block));
    this.#comeBackRenamed(target);
  }

  /** Everything is to be there. */
  endAll(): void {
    if (this.#gone !== -1) this.#comeBackInPlace();
    for (const disk of this.#machine.disks) disk.faults.endTransient();
  }

  /** The next process opens what is there. */
  endOfLife(): void {
    this.endAll();
    this.#excuses.noteAllBack(this.#machine.clock.nowUs);
  }

  get goneTarget(): number {
    return this.#gone;
  }

  #comeBackInPlace(): void {
    const target = this.#gone;
    this.#gone = -1;
    this.#machine.disks[target]!.isGone = false;
    if (target === 0) this.#ledger.noteMainBack();
  }

  #comeBackRenamed(target: number): void {
    const { disks, life } = this.#machine;
    const fronts = life!.frontsOf(target);
    for (const front of fronts) front.isCutOff = true;
    this.#comeBackInPlace();
    life!.surroundings.bring(target, {
      disk: disks[target]!,
      proof: this.#machine.scenario.hasSerials ? 'identity' : 'sameFile',
      fronts,
      isTheOne: true,
      description: 'itself',
    });
  }

  #present(impostor: SimDisk, how: ComeBack): void {
    this.#machine.life!.surroundings.bring(this.#gone, {
      disk: impostor,
      proof: 'samePath',
      fronts: [],
      isTheOne: false,
      description: `${how} of ${impostor.description} was taken back`,
    });
  }
}
