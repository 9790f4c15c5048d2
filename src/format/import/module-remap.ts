/** One remap as the kernel module wrote it down. Sectors have 512 bytes. */
export interface ModuleRemap {
  /** `NOT_EXACT` (src/base/little-endian.ts) where the number is 2^53 or more. */
  readonly mainSector: number;
  readonly spareSector: number;
  /**
   * `pending`: written down, but not used until the module was loaded again, if it ever was. `unknown`: neither, or
   * the layout does not say.
   */
  readonly state: 'active' | 'pending' | 'unknown';
  /** 0: not recorded. */
  readonly timeSeconds: number;
  /** The copies that say so, ascending; none where only a header of version 3 over them does. */
  readonly copies: readonly number[];
  readonly doubts: readonly RemapDoubt[];
}

/** Why a remap can't be trusted. */
export type RemapDoubt =
  /** Valid copies of the record say different things about it. */
  | 'copiesDisagree'
  /** Its flags are none that the module writes. */
  | 'unknownFlags'
  /** Version 3: its first eight bytes lie where the module's header spills over. */
  | 'overwrittenByHeader'
  | 'mainOutOfRange'
  | 'spareOutOfRange'
  /** The module writes its metadata there, so what was there is gone. */
  | 'spareInMetadata'
  | 'repeatedMain'
  | 'repeatedSpare'
  /** The disk has larger sectors than the 512 bytes that the module counts in. */
  | 'largeSectors';

/** Sectors of a spare. */
export interface SectorSpan {
  readonly firstSector: number;
  readonly sectorCount: number;
}
