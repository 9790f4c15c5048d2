import { SECTOR_BYTES } from '../base/units.js';
import { examineSpares } from './examine-spares.js';

/** What `dmremap create` has to know of its two devices. */
export interface PairReport {
  readonly mainSectorCount: number;
  readonly spareSectorCount: number;
  /** The main device is a spare of this set; null: of none that is known. */
  readonly mainIsSpareOf: string | null;
  /**
   * `blank`: may be formatted without asking. `set`: of this set, whose metadata can be read. `foreign`: holds something
   * else, in words.
   */
  readonly spare:
    | { readonly kind: 'blank' }
    | { readonly kind: 'set' }
    | { readonly kind: 'foreign'; readonly what: string };
}

/** Looks at a main device and a spare. Writes nothing, takes no lock. */
export async function examinePair(main: string, spare: string): Promise<PairReport> {
  const examined = await examineSpares(main, [spare]);
  const [only] = examined.spares;
  return {
    mainSectorCount: Math.floor(examined.main.geometry.sizeBytes / SECTOR_BYTES),
    spareSectorCount: Math.floor(only!.geometry.sizeBytes / SECTOR_BYTES),
    mainIsSpareOf: examined.main.set ?? null,
    spare: spareOf(only!),
  };
}

function spareOf({
  set,
  isBlank,
  signature,
}: Awaited<ReturnType<typeof examineSpares>>['spares'][number]): PairReport['spare'] {
  // A set that can't be read is left to the start, whose refusal says more.
  if (set !== undefined) return { kind: 'set' };
  if (isBlank && signature === null) return { kind: 'blank' };
  return { kind: 'foreign', what: signature ?? 'something that is not known' };
}
