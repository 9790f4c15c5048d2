import { commandLine } from '../base/shell-words.js';
import type { RunningSet } from '../control/client/running-sets.js';
import type { ScannedSet, ServedDevices } from '../library/scan-types.js';

/** What to make of a set that was found. */
export interface ScanVerdict {
  /** `served` now; `complete`: can be started; `incomplete`: something is missing; `refused`: something is wrong. */
  readonly state: 'served' | 'complete' | 'incomplete' | 'refused';
  /** What to do next: a command, or what a person has to see to first. */
  readonly next: string;
}

/** `lookedAt`: the devices and images that were named; empty: all block devices, where `assemble` looks by itself. */
export function verdictOn(set: ScannedSet, lookedAt: readonly string[] = []): ScanVerdict {
  const name = labelOf(set);
  if (set.main.provedBy === 'served') return { state: 'served', next: `dmremap status ${name}` };
  const blocking = set.problems.filter(({ blocks }) => blocks);
  const [first] = blocking;
  if (first === undefined) return { state: 'complete', next: assembleText(set, lookedAt) };
  const isMissing = blocking.every(({ id }) => MISSING.has(id));
  return { state: isMissing ? 'incomplete' : 'refused', next: nextAfter(first.id, set, lookedAt) };
}

/** What a person calls it, as an argument of a command. */
export function labelOf({ name, setId }: Pick<ScannedSet, 'name' | 'setId'>): string {
  return /^[A-Za-z0-9_.+:@-]+$/.test(name) && !name.startsWith('-') ? name : setId;
}

export function servedDevicesOf(running: readonly RunningSet[]): ServedDevices[] {
  return running.map(({ device: { setId, main, spares, endpoints } }) => ({
    setId,
    main: main.path,
    spares: spares.map(({ path }) => path),
    blockDevices: endpoints.filter(({ kind }) => kind === 'ublk').map(({ address }) => address),
  }));
}

const MISSING = new Set(['spareMissing', 'mainMissing', 'mainUnproven']);

function nextAfter(
  problem: ScannedSet['problems'][number]['id'],
  set: ScannedSet,
  lookedAt: readonly string[],
): string {
  const assembled = (...words: string[]): string => assembleText(set, lookedAt, ...words);
  switch (problem) {
    case 'spareMissing':
      return 'attach the spare, then: dmremap scan';
    case 'mainMissing':
      return `attach the main device, then: dmremap scan; or name it: ${assembled('--main', 'PATH')}`;
    case 'mainUnproven':
      return `if it is the one, name it: ${assembled('--main', set.main.path ?? 'PATH')}`;
    case 'mainSeenTwice':
      return `detach the copy, or name the right one: ${assembled('--main', 'PATH')}`;
    case 'wrongMain':
      return 'give the recorded main device; dmremap scan finds it if it is attached';
    case 'spareSeenTwice':
      return `detach the copy, or name the devices to look at: dmremap assemble ${labelOf(set)} --device PATH...`;
    case 'mainChanged':
    case 'spareStale':
      return `if you are sure of all devices: ${runText(set)} --force`;
    case 'spareShrunk':
      return 'give the spare its size back';
    case 'sparesDiverged':
      return `name only the spare that is right: dmremap assemble ${labelOf(set)} --device PATH...`;
    case 'contested':
    case 'mixedSets':
      return `dmremap metadata check ${sparePaths(set)}`;
    case 'newerFormat':
    case 'readOnlyFeature':
      return 'use the version of dm-remap that wrote it';
    case 'copyVisible':
    case 'spareReplaced':
      return assembled();
  }
}

/** Looks where this set was found: by itself `assemble` looks at block devices only, and finds no image. */
function assembleText(set: ScannedSet, lookedAt: readonly string[], ...words: string[]): string {
  const members = [set.main, ...set.spares].map(({ path }) => path);
  const devices = members.filter((path) => path !== null && lookedAt.includes(path) && !words.includes(path));
  const options = devices.flatMap((path) => ['--device', path!]);
  return commandLine(['dmremap', 'assemble', labelOf(set), ...words, ...options]);
}

function runText(set: ScannedSet): string {
  const spares = set.spares.flatMap(({ path }) => ['--spare', path ?? 'PATH']);
  return commandLine(['dmremap', 'run', '--main', set.main.path ?? 'PATH', ...spares, '--ublk']);
}

function sparePaths({ spares }: ScannedSet): string {
  return commandLine(spares.map(({ path }) => path ?? 'PATH'));
}
