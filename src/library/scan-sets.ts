import { basename } from 'node:path';
import { alignDown } from '../base/units.js';
import { recordedFingerprint } from '../format/fingerprint.js';
import { MIN_SPARE_BYTES } from '../format/layout.js';
import { formatUuid } from '../format/set-id.js';
import type { Superblock } from '../format/superblock.js';
import { type ListedBlockDevice, listBlockDevices } from '../kernel/block-devices.js';
import { statIfThere } from '../kernel/stat-if-there.js';
import { DmRemapError } from './errors.js';
import { type FoundMain, findMain, judgeNamedMain } from './find-main.js';
import { judgeSpares } from './judge-spares.js';
import { lookAtDevice, type SeenDevice } from './look-at-device.js';
import type { ScannedSet, ScanOptions, ScanReport, ServedDevices } from './scan-types.js';

/**
 * Finds the metadata sets on devices, puts their members together, and says what is wrong with each. Reads only, takes
 * no lock: devices may be in use. The map itself is not read; a start does that, and may find more.
 */
export async function scanSets(options: ScanOptions, host: ScanHost = THIS_HOST): Promise<ScanReport> {
  const listed = host.list().filter(({ path }) => !isOurs(path, options.served ?? []));
  const { seen, unreadable } = await lookAtAll(options.paths ?? listed.map(({ path }) => path), {
    isNamed: options.paths !== undefined,
  });
  const setIds = new Set(seen.flatMap(({ superblocks }) => [...superblocks.keys()]));
  const sets: ScannedSet[] = [];
  for (const setId of setIds) sets.push(await scannedSet(setId, seen, listed, options));
  sets.sort((one, other) => (labelOf(one) < labelOf(other) ? -1 : 1));
  const doubtful = seen.flatMap((one) => {
    const reason = formerSpareText(one, seen) ?? one.doubt;
    return reason === undefined ? [] : [{ path: one.path, reason }];
  });
  return { sets, doubtful, unreadable };
}

/** It was a spare of a set whose superblocks are elsewhere, and no longer speak of it. */
function formerSpareText({ noted }: SeenDevice, seen: readonly SeenDevice[]): string | undefined {
  if (noted?.spareUuid === undefined) return undefined;
  const { setId, spareUuid } = noted;
  const superblocks = seen.flatMap(({ superblocks: each }) => each.get(setId) ?? []);
  if (superblocks.length === 0) return undefined;
  if (superblocks.some(({ spares }) => spares.some(({ uuid }) => formatUuid(uuid) === spareUuid)))
    return undefined;
  const name = superblocks[0]!.name;
  return `carries the text note of a former spare of set ${name === '' ? setId : `${name} (${setId})`}: the set has no such spare any more`;
}

export interface ScanHost {
  list(): readonly ListedBlockDevice[];
}

async function scannedSet(
  setId: string,
  seen: readonly SeenDevice[],
  listed: readonly ListedBlockDevice[],
  { served = [], mains = {} }: ScanOptions,
): Promise<ScannedSet> {
  const members = seen.filter(({ superblocks }) => superblocks.has(setId));
  const atWork = served.find((one) => one.setId === setId);
  const atWorkPaths = pathsAtWork(members, atWork);
  const { superblock, spares, problems } = judgeSpares(setId, members, atWorkPaths);
  const main = await mainOf(superblock, seen, listed, atWork, mains[setId] ?? mains[superblock.name]);
  const all = [...problems, ...main.problems];
  return {
    setId,
    name: superblock.name,
    sequence: superblock.sequence,
    cleanShutdown: superblock.cleanShutdown,
    updatedSeconds: superblock.updatedSeconds,
    main: {
      sizeBytes: recordedFingerprint(superblock).sizeBytes,
      model: superblock.mainModel,
      serial: superblock.mainSerial,
      wwn: superblock.mainWwn,
      path: main.path,
      candidates: main.candidates ?? [],
      provedBy: main.provedBy,
    },
    spares,
    problems: all.sort((one, other) => Number(other.blocks) - Number(one.blocks)),
  };
}

/** What a process has open is right, whatever else looks like it. */
async function mainOf(
  superblock: Superblock,
  seen: readonly SeenDevice[],
  listed: readonly ListedBlockDevice[],
  atWork: ServedDevices | undefined,
  named: string | undefined,
): Promise<FoundMain> {
  if (atWork !== undefined) return { path: atWork.main, provedBy: 'served', problems: [] };
  if (named !== undefined) return judgeNamedMain(superblock, named);
  const isMember = new Set(
    seen.filter(({ superblocks }) => superblocks.size > 0).map(({ path }) => keyOf(path)),
  );
  const { sizeBytes: recordedBytes, logicalBlockBytes } = recordedFingerprint(superblock);
  const sized = [...seen, ...listed].filter(
    ({ sizeBytes }) => alignDown(sizeBytes, logicalBlockBytes) === recordedBytes,
  );
  const paths = firstOfEach(sized.map(({ path }) => path)).filter((path) => !isMember.has(keyOf(path)));
  return findMain(superblock, paths);
}

async function lookAtAll(
  paths: readonly string[],
  { isNamed }: { readonly isNamed: boolean },
): Promise<{ seen: SeenDevice[]; unreadable: { path: string; reason: string }[] }> {
  const seen: SeenDevice[] = [];
  const unreadable: { path: string; reason: string }[] = [];
  for (const path of firstOfEach(paths)) {
    try {
      seen.push(await lookAtDevice(path));
    } catch (error) {
      if (isNamed || !(error instanceof DmRemapError)) throw error;
      // Without a node in /dev, as in a container, there is nothing to look at.
      if (statIfThere(path) !== undefined) unreadable.push({ path, reason: error.message });
    }
  }
  return { seen, unreadable };
}

/** Two names of one device are not two devices. */
function firstOfEach(paths: readonly string[]): string[] {
  const known = new Set<string>();
  return paths.filter((path) => {
    const key = keyOf(path);
    const isFirst = !known.has(key);
    known.add(key);
    return isFirst;
  });
}

function keyOf(path: string): string {
  const stats = statIfThere(path);
  if (stats === undefined) return path;
  return stats.isBlockDevice() ? `device ${stats.rdev}` : `${stats.dev}:${stats.ino}`;
}

function pathsAtWork(members: readonly SeenDevice[], atWork: ServedDevices | undefined): ReadonlySet<string> {
  const keys = new Set((atWork?.spares ?? []).map(keyOf));
  return new Set(members.map(({ path }) => path).filter((path) => keys.has(keyOf(path))));
}

/** A block device of ours, or a partition on it, shows what is on the main device: it would look like a copy. */
function isOurs(path: string, served: readonly ServedDevices[]): boolean {
  const name = basename(path);
  return served.some(({ blockDevices }) =>
    blockDevices.some((one) => name === basename(one) || name.startsWith(`${basename(one)}p`)),
  );
}

function labelOf({ name, setId }: ScannedSet): string {
  return name === '' ? setId : name;
}

/** Floppy and optical drives are no members, and take long to say that they are empty. */
const THIS_HOST: ScanHost = {
  list: () =>
    listBlockDevices().filter(
      ({ path, sizeBytes }) => sizeBytes >= MIN_SPARE_BYTES && !/^\/dev\/(fd|sr)\d/.test(path),
    ),
};
