import type { Layout } from '../../format/layout.js';
import type { Machine } from '../machine.js';
import type { SimDisk } from '../sim-disk.js';

/** The set would take the copy from a spare that no fault touches; what is left of it there might not survive. */
export function losesSafeCopies({ safeCopies }: Machine, { copies }: Pick<Layout, 'copies'>): boolean {
  return safeCopies.some((copyIndex, spareIndex) => copies[copyIndex]!.spareIndex !== spareIndex);
}

/** Copies have other numbers now, and there may be a new spare: on each one copy stays safe, `before` or its first. */
export function keepSafeCopies(machine: Machine, before: readonly SafePlace[]): void {
  const { copies } = machine.layout!;
  machine.safeCopies = machine.spares.map((disk, spareIndex) => {
    const own = [...copies.keys()].filter((index) => copies[index]!.spareIndex === spareIndex);
    const isKept = (index: number): boolean =>
      before.some((safe) => safe.disk === disk && safe.offsetBytes === copies[index]!.offsetBytes);
    return own.find(isKept) ?? own[0]!;
  });
}

export interface SafePlace {
  readonly disk: SimDisk;
  readonly offsetBytes: number;
}
