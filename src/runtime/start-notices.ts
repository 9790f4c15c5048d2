import type { AssembledSet } from '../device/assemble-set.js';
import type { BlockStore } from '../ports/block-store.js';
import type { DeviceNotice } from './device-report.js';
import { notice } from './notice.js';

/** What a person should hear of how a set was found that has just been opened. `repairedCount`: blocks of its metadata. */
export function startNotices(
  set: AssembledSet,
  repairedCount: number,
  main: BlockStore,
  mainPath: string,
): readonly DeviceNotice[] {
  const { cleanShutdown, openCount } = set.choice.superblock;
  const outdated = set.load.maybeOutdatedPages.length;
  const isAfterCrash = !cleanShutdown && openCount > 0;
  return [
    ...(repairedCount > 0 ? [repaired(repairedCount)] : []),
    ...(outdated > 0 && cleanShutdown ? [maybeOutdated(outdated)] : []),
    ...(isAfterCrash ? [RECOVERED] : []),
    ...(isAfterCrash && !isKnownByNumber(main) ? [mainUnproven(mainPath)] : []),
    ...(openCount === 0 && !isKnownByNumber(main) ? [mainTaken(mainPath)] : []),
  ];
}

function repaired(repairedCount: number): DeviceNotice {
  const message = `${repairedCount} damaged or stale metadata block(s) were written anew`;
  return notice('warn', 'repaired', message, { repairedCount });
}

function maybeOutdated(pages: number): DeviceNotice {
  const message = `${pages} page(s) of the map may have lost their newest version; run "dmremap remaps" and compare`;
  return notice('error', 'maybeOutdated', message, { pages });
}

const RECOVERED = notice('info', 'recovered', 'the last stop was not clean; the map was recovered', {});

function isKnownByNumber({ geometry: { identity } }: BlockStore): boolean {
  return identity.serial !== '' || identity.wwn !== '';
}

/** Contents are compared after a clean stop only. */
function mainUnproven(main: string): DeviceNotice {
  const message = `${main}: nothing but its size says that it is the main device of this set, because it shows no serial number and the last stop was not clean; make sure that it is`;
  return notice('warn', 'mainUnproven', message, { main });
}

/** At the first start of a set. */
function mainTaken(main: string): DeviceNotice {
  const message = `${main}: taken for the main device of this new set by its size alone, because it shows no serial number; from the next clean stop on it is known by its contents`;
  return notice('info', 'mainUnproven', message, { main });
}
