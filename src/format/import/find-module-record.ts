import { SECTOR_BYTES } from '../../base/units.js';
import type { ByteSpan, ReadBytes } from '../foreign-signature.js';
import { hasBytesAt, latin1 } from '../magic-signature.js';
import { isEarlyPage } from './early-page.js';
import {
  type ChosenV4Record,
  decodeV4,
  V4_COPY_SECTORS,
  V4_METADATA,
  type V4CopyReport,
  type V4Record,
} from './five-copy-record.js';
import type { ModuleRemap, SectorSpan } from './module-remap.js';
import { V4_RECORD_BYTES } from './record-copy.js';
import { decodeScriptRecord, SCRIPT_RECORD_BYTES, type ScriptRecord } from './script-record.js';
import { decodeV3, V3_METADATA, type V3Problem, type V3Record } from './single-copy-record.js';

/**
 * What the dm-remap kernel module has left on a spare. Total: any bytes have an answer. `read` answers with exactly
 * the bytes asked for, or undefined where they can't be read or lie outside the device.
 */
export function findModuleRecord(read: ReadBytes, nowSeconds: number): ModuleFinding {
  const v4 = decodeV4(read, nowSeconds);
  const v3 = decodeV3(read);
  const early = EARLY_SECTORS.filter((sector) => hasMagicAt(read, sector));
  if (v4.chosen !== undefined) {
    const hasOwnPlaces = V4_ONLY_SECTORS.some((sector) => hasMagicAt(read, sector));
    if (!hasOwnPlaces && isEarlyPage(read, early)) return earlyFinding(read, early);
    const metadata = [V4_METADATA, ...early.map((sector) => earlySpan(read, sector))];
    const rival = rivalOf(read, v3 !== undefined, early);
    if (rival === 'earlyV4' && v4.chosen.remaps.length === 0) return earlyFinding(read, early);
    const ofV3 = v3?.ok === true ? v3.value.remaps : [];
    const remaps = rival === undefined ? v4.chosen.remaps : bothDisputed(v4.chosen.remaps, ofV3);
    return { kind: 'v4', copies: v4.copies, ...v4.chosen, remaps, metadata, rival };
  }
  if (v3?.ok === true) return { kind: 'v3', ...v3.value, metadata: [V3_METADATA] };
  if (v3?.ok === false) return { kind: 'unusableV3', problem: v3.error };
  return withoutRecord(read, v4, early);
}

export type ModuleFinding =
  | ({
      readonly kind: 'v4';
      readonly copies: readonly V4CopyReport[];
      /** Where the module has written its own data. */
      readonly metadata: readonly SectorSpan[];
      /**
       * Another version of the module was at work here as well, so that every remap is disputed. Those that only the
       * header of version 3 has are in no copy.
       */
      readonly rival: 'v3' | 'earlyV4' | undefined;
    } & ChosenV4Record)
  | ({ readonly kind: 'v3'; readonly metadata: readonly SectorSpan[] } & V3Record)
  | UnusableFinding;

/** Nothing to import. */
export type UnusableFinding =
  /** Copies of a record of version 4, none of them valid. */
  | { readonly kind: 'damagedV4'; readonly copies: readonly V4CopyReport[] }
  /** Pages of the module's versions 4.0 and 4.1, which never held what their checksum was taken over. */
  | { readonly kind: 'earlyV4'; readonly sectors: readonly number[] }
  | { readonly kind: 'script'; readonly record: ScriptRecord }
  | { readonly kind: 'unusableV3'; readonly problem: V3Problem }
  /** `isReadable`: all places where something could be were read. */
  | { readonly kind: 'nothing'; readonly isReadable: boolean };

/** Where early versions and the shell tool wrote, and version 4.2 did not. */
const EARLY_SECTORS = [2048, 4096, 8192];

/** The byte ranges that `findModuleRecord` looks at, whatever the size of the device. */
export const MODULE_PROBES: readonly ByteSpan[] = [
  ...V4_COPY_SECTORS.map((sector) => ({
    offsetBytes: sector * SECTOR_BYTES,
    lengthBytes: V4_RECORD_BYTES,
  })),
  ...EARLY_SECTORS.map((sector) => ({
    offsetBytes: sector * SECTOR_BYTES,
    lengthBytes: SCRIPT_RECORD_BYTES,
  })),
];

/**
 * A header of version 3 lies over a copy of version 4, so it is the later one. Where only pages of 4.0 and 4.1 lie
 * beside a valid copy, it is most likely one of them: they are valid by chance, if the spare was blank before.
 */
function rivalOf(read: ReadBytes, hasV3: boolean, early: readonly number[]): 'v3' | 'earlyV4' | undefined {
  if (hasV3) return 'v3';
  const hasPages = early.some((sector) => scriptRecordAt(read, sector) === undefined);
  return hasPages && !V4_ONLY_SECTORS.some((sector) => hasMagicAt(read, sector)) ? 'earlyV4' : undefined;
}

function withoutRecord(read: ReadBytes, { copies }: V4Record, early: readonly number[]): UnusableFinding {
  if (V4_ONLY_SECTORS.some((sector) => hasMagicAt(read, sector))) return { kind: 'damagedV4', copies };
  for (const sector of [...SHARED_SECTORS, ...early]) {
    const record = scriptRecordAt(read, sector);
    if (record !== undefined) return { kind: 'script', record };
  }
  if (early.length > 0) return earlyFinding(read, early);
  if (SHARED_SECTORS.some((sector) => hasMagicAt(read, sector))) return { kind: 'damagedV4', copies };
  return { kind: 'nothing', isReadable: copies.every(({ state }) => state !== 'unreadable') };
}

function earlyFinding(read: ReadBytes, early: readonly number[]): UnusableFinding {
  const shared = SHARED_SECTORS.filter((sector) => hasMagicAt(read, sector));
  return { kind: 'earlyV4', sectors: [...shared, ...early] };
}

function hasMagicAt(read: ReadBytes, sector: number): boolean {
  return hasBytesAt(read, sector * SECTOR_BYTES, V4_MAGIC);
}

function scriptRecordAt(read: ReadBytes, sector: number): ScriptRecord | undefined {
  return decodeScriptRecord(read(sector * SECTOR_BYTES, SCRIPT_RECORD_BYTES) ?? NO_BYTES);
}

function bothDisputed(remaps: readonly ModuleRemap[], ofV3: readonly ModuleRemap[]): ModuleRemap[] {
  const pairs = new Set(remaps.map(({ mainSector, spareSector }) => `${mainSector} ${spareSector}`));
  const more = ofV3.filter(({ mainSector, spareSector }) => !pairs.has(`${mainSector} ${spareSector}`));
  return [...remaps, ...more.map((remap) => ({ ...remap, copies: [] }))].map(disputed);
}

function disputed(remap: ModuleRemap): ModuleRemap {
  return remap.doubts.includes('copiesDisagree')
    ? remap
    : { ...remap, doubts: ['copiesDisagree', ...remap.doubts] };
}

/** The shell tool writes one sector, the module's early versions a page. */
function earlySpan(read: ReadBytes, firstSector: number): SectorSpan {
  return { firstSector, sectorCount: scriptRecordAt(read, firstSector) === undefined ? 8 : 1 };
}

const V4_MAGIC = latin1('4RMD');
const NO_BYTES = new Uint8Array(0);
/** Where only version 4.2 wrote. */
const V4_ONLY_SECTORS = [256, 512, 768];
/** Where all of them wrote. */
const SHARED_SECTORS = [0, 1024];
