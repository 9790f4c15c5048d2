import { failed, ok, type Result } from '../base/result.js';
import { sequenceAfterHidden } from './hidden-updates.js';
import { superblockOffsetBytes } from './layout.js';
import { sameUuid } from './set-id.js';
import { type Superblock, slotOf } from './superblock.js';
import type { DecodedSuperblock, SuperblockRefusal } from './superblock-codec.js';
import {
  distinctSetIds,
  findDivergence,
  identifyingSuperblocks,
  isContested,
  newestOf,
  type ScannedDevice,
  type SuperblockCandidate,
  superblocksInPlace,
} from './superblock-evidence.js';

/**
 * Decides, from everything found at the anchors of all devices that were named as spares, which superblock is valid,
 * or why the set must not be assembled. Total, and changes nothing: repairs are data.
 */
export function chooseSuperblock(
  devices: readonly ScannedDevice[],
): Result<SuperblockChoice, SuperblockChoiceFailure> {
  const newer = devices.findIndex((device) => device.candidates.some(isFromNewerProgram));
  if (newer !== -1) return failed({ kind: 'newerFormat', deviceIndex: newer });
  // What a superblock says of the set counts wherever it lies; who a device is, only those that are its own say.
  const inPlace = devices.flatMap(superblocksInPlace);
  const found = identifyingSuperblocks(devices);
  const chosen = newestOf(inPlace);
  if (chosen === undefined) return failed({ kind: 'noneFound', seen: refusalsSeen(devices) });
  const setIds = distinctSetIds(inPlace);
  if (setIds.length > 1) return failed({ kind: 'mixedSets', setIds });
  const scan: Scan = { devices, found, newest: found.map(newestOf), chosen };
  const wrong = findWrongSpare(scan);
  if (wrong !== undefined) return failed(wrong);
  const divergence = findDivergence(found);
  if (divergence !== undefined) return failed({ kind: 'diverged', ...divergence });
  const { sequence } = chosen.superblock;
  return isContested(inPlace, chosen) ? failed({ kind: 'contested', sequence }) : judgeCompleteness(scan);
}

export interface SuperblockChoice {
  readonly superblock: Superblock;
  /** A feature of the set forbids writing; then there are no repairs. */
  readonly readOnly: boolean;
  /** For each spare of the set, the index of the device that it is; -1 where it is missing. */
  readonly deviceOfSpare: readonly number[];
  readonly missingSpares: readonly number[];
  /** Spares that were left out while the others went on. */
  readonly staleSpares: readonly number[];
  /** Copies on the devices at hand that do not hold this superblock; to be written before anything else. */
  readonly repairs: readonly SuperblockRepair[];
  /**
   * Some slot of a copy was unreadable or damaged and may show another superblock later. The superblock must be
   * updated twice (sequence + 1, then + 2, each durable before the next) before anything else is written.
   */
  readonly needsTwoUpdates: boolean;
}

export interface SuperblockRepair {
  readonly copyIndex: number;
  readonly slot: number;
}

/** Where there is a `choice`, it holds for a caller who is told to go on all the same. */
export type SuperblockChoiceFailure =
  /** `seen`: what was there instead, each once; only 'blank' and 'notOurs' means never formatted. */
  | { readonly kind: 'noneFound'; readonly seen: readonly (SuperblockRefusal | 'unreadable')[] }
  /** A newer program has written to this set; what is left of the old format must not be used any more. */
  | { readonly kind: 'newerFormat'; readonly deviceIndex: number }
  /** The devices, or parts of one device, belong to different sets. */
  | { readonly kind: 'mixedSets'; readonly setIds: readonly Uint8Array[] }
  | { readonly kind: 'wrongSpare'; readonly deviceIndex: number; readonly reason: WrongSpareReason }
  /** Two spares went on separately from each other: they tell different stories of one sequence number. */
  | {
      readonly kind: 'diverged';
      readonly deviceIndexes: readonly [number, number];
      readonly sequence: number;
    }
  /** Intact copies of the newest superblock contradict each other, and none has a majority. */
  | { readonly kind: 'contested'; readonly sequence: number }
  /** This device has no superblock left; it is the missing spare only by elimination and by its size. */
  | { readonly kind: 'spareUnproven'; readonly deviceIndex: number; readonly choice: SuperblockChoice }
  /** There may be missing spares, too. */
  | { readonly kind: 'spareStale'; readonly choice: SuperblockChoice }
  | { readonly kind: 'spareMissing'; readonly choice: SuperblockChoice };

export type WrongSpareReason =
  /** Nothing on the device says that it is part of a set. */
  | 'noSuperblock'
  /** It was part of this set, and another device has its place now, or none has. */
  | 'replaced'
  /** Another of the given devices is the same spare: one is a clone. */
  | 'duplicate'
  /** The device is smaller than when it was formatted. */
  | 'shrunk';

interface Scan {
  readonly devices: readonly ScannedDevice[];
  /** For each device, what it has; and the newest of it. */
  readonly found: readonly (readonly DecodedSuperblock[])[];
  readonly newest: readonly (DecodedSuperblock | undefined)[];
  readonly chosen: DecodedSuperblock;
}

function isFromNewerProgram({ found }: SuperblockCandidate): boolean {
  return !found.ok && (found.error === 'unsupportedVersion' || found.error === 'incompatibleFeature');
}

function refusalsSeen(devices: readonly ScannedDevice[]): readonly (SuperblockRefusal | 'unreadable')[] {
  const candidates = devices.flatMap((device) => device.candidates);
  return [...new Set(candidates.flatMap(({ found }) => (found.ok ? [] : [found.error])))];
}

function findWrongSpare(scan: Scan): SuperblockChoiceFailure | undefined {
  for (const deviceIndex of scan.devices.keys()) {
    const reason = wrongReason(scan, deviceIndex);
    if (reason !== undefined) return { kind: 'wrongSpare', deviceIndex, reason };
  }
  return undefined;
}

function wrongReason(scan: Scan, deviceIndex: number): WrongSpareReason | undefined {
  const newest = scan.newest[deviceIndex];
  if (newest === undefined) return unprovenSpare(scan, deviceIndex) === -1 ? 'noSuperblock' : undefined;
  const spareIndex = spareIndexOf(scan.chosen, newest);
  const recorded = scan.chosen.superblock.spares[spareIndex];
  if (recorded === undefined) return 'replaced';
  const first = deviceThatClaims(scan, spareIndex);
  if (first !== deviceIndex) return 'duplicate';
  return scan.devices[deviceIndex]!.sizeBytes < recorded.sizeBytes ? 'shrunk' : undefined;
}

/** Which spare of the chosen set a device with this superblock is, or -1: numbers change when a spare is taken out. */
function spareIndexOf({ superblock }: DecodedSuperblock, found: DecodedSuperblock): number {
  const { uuid } = found.superblock.spares[found.spareIndex]!;
  return superblock.spares.findIndex((spare) => sameUuid(spare.uuid, uuid));
}

function deviceThatClaims({ newest, chosen }: Scan, spareIndex: number): number {
  return newest.findIndex((found) => found !== undefined && spareIndexOf(chosen, found) === spareIndex);
}

/** The one spare that no device claims, if this is the one device that claims nothing and has its size; or -1. */
function unprovenSpare(scan: Scan, deviceIndex: number): number {
  const { devices, newest, chosen } = scan;
  const unclaimed = [...chosen.superblock.spares.keys()].filter(
    (spareIndex) => deviceThatClaims(scan, spareIndex) === -1,
  );
  const silentCount = newest.filter((found) => found === undefined).length;
  const [spareIndex] = unclaimed;
  if (spareIndex === undefined || unclaimed.length > 1 || silentCount > 1) return -1;
  return devices[deviceIndex]!.sizeBytes === chosen.superblock.spares[spareIndex]!.sizeBytes
    ? spareIndex
    : -1;
}

function judgeCompleteness(scan: Scan): Result<SuperblockChoice, SuperblockChoiceFailure> {
  const choice = choiceFrom(scan);
  const unproven = scan.newest.indexOf(undefined);
  if (unproven !== -1) return failed({ kind: 'spareUnproven', deviceIndex: unproven, choice });
  if (choice.staleSpares.length > 0) return failed({ kind: 'spareStale', choice });
  if (choice.missingSpares.length > 0) return failed({ kind: 'spareMissing', choice });
  return ok(choice);
}

function choiceFrom(scan: Scan): SuperblockChoice {
  const { newest, chosen } = scan;
  const { superblock, readOnly } = chosen;
  const spareIndexes = [...superblock.spares.keys()];
  const deviceOfSpare = spareIndexes.map((spareIndex) => deviceOf(scan, spareIndex));
  const before = sequenceBefore(scan);
  const isStale = (spareIndex: number): boolean => {
    const own = newest[deviceOfSpare[spareIndex]!]?.superblock.sequence;
    if (own === undefined || own === superblock.sequence) return false;
    return before === undefined ? !mayFollow(superblock.sequence, own) : own < before;
  };
  return {
    superblock,
    readOnly,
    deviceOfSpare,
    missingSpares: spareIndexes.filter((spareIndex) => deviceOfSpare[spareIndex] === -1),
    staleSpares: spareIndexes.filter(isStale),
    repairs: readOnly ? [] : findRepairs(scan, deviceOfSpare),
    needsTwoUpdates: !readOnly && someSlotIsUnknown(scan, deviceOfSpare),
  };
}

/**
 * The update before the one that was chosen, as copies that have this one say: a spare that lacks that, too, was left out
 * on purpose (rule W6), while an update that was cut off leaves one behind by one. Numbers alone don't tell: some are left
 * out (rules W2, R2). Undefined: no copy says.
 */
function sequenceBefore({ found, chosen }: Scan): number | undefined {
  const { sequence } = chosen.superblock;
  const before = found.flatMap((own) => {
    const holders = own.filter((each) => each.superblock.sequence === sequence);
    return own.filter(
      (each) =>
        each.superblock.sequence < sequence && holders.some((holder) => startOf(holder) === startOf(each)),
    );
  });
  return before.length === 0 ? undefined : Math.max(...before.map(({ superblock }) => superblock.sequence));
}

/** Whether the update after `before` may have this number: the next one, or the first behind those that may be hidden. */
function mayFollow(sequence: number, before: number): boolean {
  return sequence === before + 1 || sequence === sequenceAfterHidden(before, 0);
}

/** Of the copy, on its device. */
function startOf({ superblock, copyIndex }: DecodedSuperblock): number {
  return superblock.copies[copyIndex]!.offsetBytes;
}

function deviceOf(scan: Scan, spareIndex: number): number {
  const claiming = deviceThatClaims(scan, spareIndex);
  if (claiming !== -1) return claiming;
  const silent = scan.newest.indexOf(undefined);
  return silent !== -1 && unprovenSpare(scan, silent) === spareIndex ? silent : -1;
}

function findRepairs({ found, chosen }: Scan, deviceOfSpare: readonly number[]): readonly SuperblockRepair[] {
  const slot = slotOf(chosen.superblock.sequence);
  return chosen.superblock.copies.flatMap((copy, copyIndex) => {
    const onDevice = found[deviceOfSpare[copy.spareIndex]!];
    const holdsIt = (each: DecodedSuperblock): boolean =>
      each.copyIndex === copyIndex && each.slot === slot && each.contentCrc === chosen.contentCrc;
    return onDevice === undefined || onDevice.some(holdsIt) ? [] : [{ copyIndex, slot }];
  });
}

/** A slot that nobody scanned counts as unknown: the device's size, and with it the anchors, may have changed. */
function someSlotIsUnknown({ devices, found, chosen }: Scan, deviceOfSpare: readonly number[]): boolean {
  return chosen.superblock.copies.some((copy) => {
    const deviceIndex = deviceOfSpare[copy.spareIndex]!;
    const device = devices[deviceIndex];
    if (device === undefined) return false;
    return [0, 1].some((slot) => isUnknown(device, found[deviceIndex]!, superblockOffsetBytes(copy, slot)));
  });
}

/** Also where another spare's superblock lies that would be in its place there: nobody knows what it has written over. */
function isUnknown(device: ScannedDevice, own: readonly DecodedSuperblock[], offsetBytes: number): boolean {
  const candidate = device.candidates.find((each) => each.offsetBytes === offsetBytes);
  if (candidate === undefined) return true;
  const { found } = candidate;
  if (!found.ok) return DAMAGED.has(found.error);
  return superblocksInPlace(device).includes(found.value) && !own.includes(found.value);
}

/** What may have been a superblock, and a newer one. */
const DAMAGED: ReadonlySet<SuperblockRefusal | 'unreadable'> = new Set<SuperblockRefusal | 'unreadable'>([
  'unreadable',
  'badChecksum',
  'implausible',
]);
