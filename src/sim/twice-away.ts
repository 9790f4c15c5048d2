/**
 * Blocks that a device did not take in two outages: it may have been there whenever it had to prove that it lives, and then
 * its sectors are to blame (docs/error-policy.md, a last try).
 */
export class TwiceAway {
  #outage = 0;
  /** By block, the outage in which it was refused last. */
  readonly #refusedIn = new Map<number, number>();

  beginOutage(): void {
    this.#outage += 1;
  }

  /** A write was refused because the device was away. True: not for the first time. */
  noteRefused(block: number): boolean {
    const before = this.#refusedIn.get(block) ?? this.#outage;
    this.#refusedIn.set(block, this.#outage);
    return before !== this.#outage;
  }
}
