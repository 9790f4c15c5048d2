import { formatUuid } from '../format/set-id.js';
import type { Superblock } from '../format/superblock.js';
import {
  chooseSuperblock,
  type SuperblockChoice,
  type SuperblockChoiceFailure,
} from '../format/superblock-choice.js';
import { describeDevice } from './describe-device.js';
import type { SeenDevice } from './look-at-device.js';
import type { ScannedSpare, ScanProblem } from './scan-types.js';

/**
 * Which of the devices that carry a set's metadata are its spares, and what is wrong with them. Those that can't be are
 * left out one by one, each with its reason, by the same rules that a start goes by. `atWork`: paths that serve it now.
 */
export function judgeSpares(
  setId: string,
  devices: readonly SeenDevice[],
  atWork: ReadonlySet<string>,
): JudgedSpares {
  const problems: ScanProblem[] = [];
  let left = [...devices].sort((one, other) => Number(atWork.has(other.path)) - Number(atWork.has(one.path)));
  for (;;) {
    const found = chooseSuperblock(left.map(({ scanned }) => scanned));
    const failure = found.ok ? undefined : found.error;
    if (failure?.kind === 'wrongSpare') {
      problems.push(wrongSpare(setId, failure, left, atWork));
      left = left.filter((_, position) => position !== failure.deviceIndex);
      continue;
    }
    const choice = found.ok ? found.value : 'choice' in found.error ? found.error.choice : undefined;
    const superblock = choice?.superblock ?? newestSuperblock(setId, devices);
    if (failure !== undefined) problems.push(...problemsOf(failure, superblock, left));
    if (choice?.readOnly) problems.push(READ_ONLY);
    return { superblock, spares: sparesOf(superblock, choice, left), problems };
  }
}

export interface JudgedSpares {
  readonly superblock: Superblock;
  readonly spares: readonly ScannedSpare[];
  readonly problems: readonly ScanProblem[];
}

function wrongSpare(
  setId: string,
  { deviceIndex, reason }: Extract<SuperblockChoiceFailure, { kind: 'wrongSpare' }>,
  devices: readonly SeenDevice[],
  atWork: ReadonlySet<string>,
): ScanProblem {
  const device = devices[deviceIndex]!;
  const what = describeDevice(device.path, device.identity);
  switch (reason) {
    case 'duplicate':
      return twinProblem(setId, device, devices, atWork);
    case 'replaced': {
      const message = `${what} was a spare of this set and is not any more; it is left out`;
      return { id: 'spareReplaced', blocks: false, message };
    }
    case 'shrunk': {
      const message = `${what} is smaller than when it was formatted`;
      return { id: 'spareShrunk', blocks: true, message };
    }
    case 'noSuperblock':
      return { id: 'spareMissing', blocks: true, message: `${what} carries no superblock of the set` };
  }
}

/** Which one is right only a person knows, unless one is at work. The number of updates says which one is behind. */
function twinProblem(
  setId: string,
  device: SeenDevice,
  devices: readonly SeenDevice[],
  atWork: ReadonlySet<string>,
): ScanProblem {
  const uuid = spareUuid(setId, device);
  const twin = devices.find((other) => other !== device && spareUuid(setId, other) === uuid)!;
  const texts = [twin, device].map(
    (one) => `${describeDevice(one.path, one.identity)} at update ${sequenceOf(setId, one)}`,
  );
  if (atWork.has(twin.path)) {
    const message = `${texts[1]} is a copy of the spare that is at work, ${texts[0]}; detach it before the next start`;
    return { id: 'copyVisible', blocks: false, message };
  }
  const message = `${texts.join(' and ')} are the same spare, so one is a copy or a second path to it`;
  return { id: 'spareSeenTwice', blocks: true, message };
}

/** Of the spare that a device says it is. */
function spareUuid(setId: string, { superblocks, scanned }: SeenDevice): string | undefined {
  const superblock = superblocks.get(setId);
  if (superblock === undefined) return undefined;
  const own = scanned.candidates.flatMap(({ found }) => (found.ok ? [found.value] : []));
  const newest = own.find((one) => one.superblock.sequence === superblock.sequence);
  return newest && formatUuid(newest.superblock.spares[newest.spareIndex]!.uuid);
}

function sequenceOf(setId: string, { superblocks }: SeenDevice): number {
  return superblocks.get(setId)?.sequence ?? 0;
}

function newestSuperblock(setId: string, devices: readonly SeenDevice[]): Superblock {
  const all = devices.flatMap(({ superblocks }) => superblocks.get(setId) ?? []);
  return all.reduce((newest, one) => (one.sequence > newest.sequence ? one : newest));
}

function problemsOf(
  failure: Exclude<SuperblockChoiceFailure, { kind: 'wrongSpare' }>,
  superblock: Superblock,
  devices: readonly SeenDevice[],
): ScanProblem[] {
  const nameOf = (position: number): string =>
    describeDevice(devices[position]!.path, devices[position]!.identity);
  switch (failure.kind) {
    case 'noneFound':
      return [];
    case 'newerFormat': {
      const message = `${nameOf(failure.deviceIndex)} was written by a newer dm-remap; use that version`;
      return [{ id: 'newerFormat', blocks: true, message }];
    }
    case 'mixedSets': {
      const message = `superblocks of different sets (${failure.setIds.map(formatUuid).join(', ')}) are on ${devices.map((_, position) => nameOf(position)).join(', ')}`;
      return [{ id: 'mixedSets', blocks: true, message }];
    }
    case 'diverged': {
      const message = `${failure.deviceIndexes.map(nameOf).join(' and ')} were used apart from each other`;
      return [{ id: 'sparesDiverged', blocks: true, message }];
    }
    case 'contested': {
      const message = `intact copies of superblock ${failure.sequence} contradict each other`;
      return [{ id: 'contested', blocks: true, message }];
    }
    case 'spareUnproven':
      return [
        {
          id: 'spareMissing',
          blocks: true,
          message: `${nameOf(failure.deviceIndex)} carries no superblock any more`,
        },
      ];
    case 'spareStale':
    case 'spareMissing':
      return [...staleProblems(failure.choice, nameOf), ...missingProblems(failure.choice, superblock)];
  }
}

function staleProblems(choice: SuperblockChoice, nameOf: (position: number) => string): ScanProblem[] {
  return choice.staleSpares.map((index) => {
    const name = nameOf(choice.deviceOfSpare[index]!);
    const message = `spare ${index}, ${name}, is older than its partners: it failed, was left out, or is an old copy`;
    return { id: 'spareStale', blocks: true, message };
  });
}

function missingProblems({ missingSpares }: SuperblockChoice, { spares }: Superblock): ScanProblem[] {
  return missingSpares.map((index) => {
    const { uuid, sizeBytes } = spares[index]!;
    const message = `spare ${index} is missing: ${sizeBytes} bytes, UUID ${formatUuid(uuid)}`;
    return { id: 'spareMissing', blocks: true, message };
  });
}

function sparesOf(
  superblock: Superblock,
  choice: SuperblockChoice | undefined,
  devices: readonly SeenDevice[],
): ScannedSpare[] {
  return superblock.spares.map(({ uuid, sizeBytes }, index) => {
    const device = devices[choice?.deviceOfSpare[index] ?? -1];
    const { model, serial } = device?.identity ?? { model: '', serial: '' };
    return { index, uuid: formatUuid(uuid), sizeBytes, path: device?.path ?? null, model, serial };
  });
}

const READ_ONLY: ScanProblem = {
  id: 'readOnlyFeature',
  blocks: true,
  message: 'a feature of a newer dm-remap forbids this version to write beside it; use that version',
};
