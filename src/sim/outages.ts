import type { Excuses } from './excuses.js';
import type { ComeBack } from './history.js';
import type { Ledger } from './ledger.js';
import { BYSTANDER, type Machine } from './machine.js';
import type { SimDisk } from './sim-disk.js';

/** Disks that vanish or take no writes, and come back, one at a time; or something else comes in their place. */
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

  vanish(target: number, isReadable: boolean): void {
    // One that is to be the main device is no matter of the set's.
    if (target === BYSTANDER) return this.#loseBystander(true);
    // One that is none of the set's is missed by nobody.
    if ((this.#gone !== -1 && this.#gone !== target) || target >= this.#machine.setDisks.length) return;
    if (this.#gone === -1) this.#ledger.beginOutage();
    this.#gone = target;
    const disk = this.#machine.disks[target]!;
    disk.isGone = true;
    disk.isReadable = isReadable;
    this.#excuses.noteGone(isReadable);
    if (target !== 0) this.spareMayLag = true;
  }

  /** `keepTimes`: of 8, how much of its cache was written back. */
  comeBack(how: ComeBack, keepTimes: number, impostorOf: (target: number) => SimDisk | undefined): void {
    if (this.#gone === -1) return;
    const target = this.#gone;
    const disk = this.#machine.disks[target]!;
    if (how === 'inPlace' || this.#machine.life?.state.kind !== 'open') return this.#comeBackInPlace();
    // Under its old name it answers nothing any more.
    disk.isReadable = false;
    this.#excuses.noteGone(false);
    const impostor = impostorOf(target);
    if (impostor !== undefined) return this.#present(impostor, how);
    disk.loseCache(keepTimes, (block) => this.#ledger.reverting(disk, block));
    this.#comeBackRenamed(target);
  }

  /** Everything is to be there. */
  endAll(): void {
    if (this.#gone !== -1) this.#comeBackInPlace();
    if (this.#machine.bystander?.isGone === true) this.#loseBystander(false);
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

  /** It comes back without its cache, under another name. */
  #loseBystander(isGone: boolean): void {
    const { bystander, life, random } = this.#machine;
    if (bystander === undefined) return;
    bystander.isGone = isGone;
    if (isGone) return;
    bystander.loseCache(random.pick([0, 4, 7]), () => {});
    life?.replacement?.cutOff();
  }

  #comeBackInPlace(): void {
    const target = this.#gone;
    const { disks, life } = this.#machine;
    this.#gone = -1;
    disks[target]!.isGone = false;
    disks[target]!.isReadable = false;
    life?.surroundings.forget(target);
    // It had another name before it went.
    if (life?.frontsOf(target).some((front) => front.isCutOff) === true) this.#bringRenamed(target);
  }

  #comeBackRenamed(target: number): void {
    for (const front of this.#machine.life!.frontsOf(target)) front.isCutOff = true;
    this.#comeBackInPlace();
  }

  #bringRenamed(target: number): void {
    const { disks, life, scenario } = this.#machine;
    life!.surroundings.bring(target, {
      disk: disks[target]!,
      proof: scenario.hasSerials ? 'identity' : 'samePath',
      fronts: life!.frontsOf(target),
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
