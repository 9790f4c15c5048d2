import { isReserved } from '../free-units.js';
import type { Machine } from '../machine.js';

/**
 * A dump as a person might have changed it: other numbers of errors, and a few places all over each spare that are not to
 * be used. So several pages change, and no unit is elsewhere than before.
 */
export function editDump({ layout }: Machine, text: string): string {
  const { unitBytes, spares } = layout!;
  const taken = new Set([...text.matchAll(/ spare=(\d+:\d+)/g)].map(([, place]) => place));
  const isFree = (spareIndex: number, unit: number): boolean =>
    !isReserved(layout!, spareIndex, unit * unitBytes) && !taken.has(placeOf(spareIndex, unit, unitBytes));
  const retired = [...spares.entries()].flatMap(([spareIndex, { unitCount }]) =>
    [1, 2, 3].flatMap((quarter) => {
      const first = Math.floor((unitCount * quarter) / 4);
      for (let unit = first; unit < first + SEARCHED_UNITS; unit += 1)
        if (isFree(spareIndex, unit)) return [`retired spare=${placeOf(spareIndex, unit, unitBytes)}\n`];
      return [];
    }),
  );
  const counted = text.replace(/ errors=(\d+)/g, (_, count) => ` errors=${(Number(count) + 1) % 0x10000}`);
  return counted + retired.join('');
}

function placeOf(spareIndex: number, unit: number, unitBytes: number): string {
  return `${spareIndex}:${(unit * unitBytes) / 512}`;
}

/** A place is free nearly everywhere. */
const SEARCHED_UNITS = 8;
