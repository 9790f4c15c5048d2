import { formatCount, formatNumber } from '../base/format-count.js';
import { OnLost } from '../format/superblock.js';
import type { EmptyingReport, GoneReport, TakingNoneReport } from '../runtime/device-report.js';
import { spareLevelOf } from '../runtime/spare-alerts.js';
import type { SettingValues } from '../settings/setting-table.js';

/** How a set is doing: the worst finding decides the state; worst first. */
export function judgeHealth(facts: HealthFacts): Health {
  const findings = CHECKS.map((check) => check(facts)).filter((finding) => finding !== null);
  const worst = findings.reduce((rank, { state }) => Math.max(rank, STATES.indexOf(state)), 0);
  findings.sort((a, b) => STATES.indexOf(b.state) - STATES.indexOf(a.state));
  return { state: STATES[worst]!, findings };
}

/** What the judgement rests on, of a set at work or of what the metadata says. */
export interface HealthFacts {
  readonly remappedUnits: number;
  readonly unitsWithLostBlocks: number;
  readonly freeSpareUnits: number;
  readonly usableSpareUnits: number;
  /** `max_remaps` alone keeps more units from moving: there would be places. */
  readonly remapLimitReached: boolean;
  /** Of the main device. */
  readonly mainUnits: number;
  /** In force. */
  readonly settings: SettingValues;
  /** Spares of the set that were not given, and what lives on them. */
  readonly missing: {
    readonly spareCount: number;
    /** At least, where the map of them is on themselves only. */
    readonly unitCount: number;
    readonly isMapKnown: boolean;
    /** Of the metadata. */
    readonly copyCount: number;
  };
  /** What is there may not be the newest: spares that are older than their partners, pages of the map. */
  readonly doubtful: { readonly staleSpares: readonly string[]; readonly pageCount: number };
  /** Copies of the metadata on the spares that were given, and those that are stale, damaged or unreadable; null where nobody has looked. */
  readonly copies: { readonly count: number; readonly badCount: number } | null;
  /** Only the metadata is known, and it does not say that the set was stopped. */
  readonly mayBeInUse: boolean;
  /** Somebody holds its requests. */
  readonly suspended: boolean;
  /** Devices that do not answer now. */
  readonly gone: readonly GoneReport[];
  /** Spares that take no units because they are to be empty. */
  readonly emptying: readonly EmptyingReport[];
  /** Spares that no unit can be moved to, beside those. */
  readonly takingNone: readonly TakingNoneReport[];
}

export interface Health {
  readonly state: HealthState;
  readonly findings: readonly Finding[];
}

/** `healthy`: nothing to do. `degraded`: works, plan ahead. `critical`: data is lost or will be with the next error. */
export type HealthState = (typeof STATES)[number];

export interface Finding {
  /** Stable name, for programs. */
  readonly id: string;
  readonly state: HealthState;
  /** What it means. */
  readonly status: string;
  /** What to do. */
  readonly action: string;
}

const STATES = ['healthy', 'degraded', 'critical'] as const;

const CHECKS: readonly ((facts: HealthFacts) => Finding | null)[] = [
  function takesNoWrites({ gone }) {
    const main = gone.find(({ readsPass }) => readsPass);
    if (main === undefined) return null;
    return {
      id: 'takesNoWrites',
      state: 'critical',
      status: `${main.path} takes no writes any more: ${main.reason}. It can still be read; requests that write to it ${main.requestsWait ? 'wait' : 'fail'}.`,
      action: 'Move to another disk while it can be read: "dmremap evacuate".',
    };
  },
  function deviceGone({ gone }) {
    const silent = gone.filter(({ readsPass }) => !readsPass);
    const [first] = silent;
    if (first === undefined) return null;
    const others = silent.length === 1 ? '' : ` (and ${silent.length - 1} more)`;
    return {
      id: 'deviceGone',
      state: 'critical',
      status: `${first.path}${others} does not answer: ${first.reason}. Requests that need it ${first.requestsWait ? 'wait' : 'fail'}.`,
      action: 'Check cable and power, and attach it again, under any name; it is recognised by itself.',
    };
  },
  function isSuspended({ suspended }) {
    if (!suspended) return null;
    return {
      id: 'suspended',
      state: 'degraded',
      status: 'Suspended on request: reads and writes wait until it is resumed.',
      action: 'Let them go with "dmremap resume" when what it was suspended for is done.',
    };
  },
  function lostBlocks({ unitsWithLostBlocks, settings }) {
    if (unitsWithLostBlocks === 0) return null;
    const given = settings.on_lost === OnLost.zero ? 'zeroes, as on_lost says' : 'an error';
    return {
      id: 'lostBlocks',
      state: 'critical',
      status: `Logical blocks of ${formatCount(unitsWithLostBlocks, 'unit')} could not be read from the main device any more; reading them gives ${given}.`,
      action:
        'Find the files concerned ("dmremap lost" lists the sectors and files while the set is served, "dmremap remaps" the sectors else) and restore them; writing a lost block makes it good again.',
    };
  },
  function spareRefuses({ takingNone, gone, freeSpareUnits }) {
    const isGone = (index: number): boolean => gone.some(({ spareIndex }) => spareIndex === index);
    const refusing = takingNone.filter(({ spareIndex, refusal }) => refusal !== null && !isGone(spareIndex));
    if (refusing.length === 0) return null;
    const spares = refusing.map(
      ({ spareIndex, path, refusal, freeUnits }) =>
        `Spare ${spareIndex} (${path}) refuses writes: the last unit that was to be moved there failed with ${refusal}; its ${formatCount(freeUnits, 'free unit')} can't be used.`,
    );
    const isLast = freeSpareUnits === 0;
    return {
      id: 'spareRefuses',
      state: isLast ? 'critical' : 'degraded',
      status: `${spares.join(' ')}${isLast ? ' No spare takes units any more: the next bad sector gives a write error.' : ''}`,
      action: `Add another spare${isLast ? ' now' : ''}: "dmremap spare add DEVICE --set SET".${howToMend(refusing)}`,
    };
  },
  function remapLimitReached({ remapLimitReached: isReached, settings }) {
    if (!isReached) return null;
    return {
      id: 'remapLimitReached',
      state: 'critical',
      status: `No more units may move: max_remaps allows ${formatNumber(settings.max_remaps)}. The next bad sector gives a write error, although the spares have room.`,
      action: 'Allow more with "dmremap set SET max_remaps=N" (0: as many as there is room for).',
    };
  },
  function noSpareLeft({ freeSpareUnits, remapLimitReached, takingNone }) {
    if (freeSpareUnits > 0 || remapLimitReached || takingNone.some(({ refusal }) => refusal !== null))
      return null;
    return {
      id: 'noSpareLeft',
      state: 'critical',
      status: 'No spare unit is left: the next bad sector gives a write error.',
      action:
        'Add a spare, also while the set is served ("dmremap spare add DEVICE --set SET"), or copy the data to another disk now.',
    };
  },
  function spareMissing({ missing: { spareCount, unitCount, isMapKnown, copyCount } }) {
    if (spareCount === 0) return null;
    const copies = formatCount(copyCount, 'metadata copy', 'metadata copies');
    const more = isMapKnown ? '' : ', and others that only its own copies know of';
    return {
      id: 'spareMissing',
      state: 'critical',
      status: `${formatCount(spareCount, 'spare')} of the set ${spareCount === 1 ? 'was' : 'were'} not given; ${copies} and ${formatCount(unitCount, 'remapped unit')} on it${more}.`,
      action: 'Give all spares of the set.',
    };
  },
  function spareStale({ doubtful: { staleSpares } }) {
    if (staleSpares.length === 0) return null;
    return {
      id: 'spareStale',
      state: 'critical',
      status: `Older than the other spares: ${staleSpares.join(', ')}. It failed, was left out, or is an old copy.`,
      action: 'Find the spare that went on with the others. "dmremap run --force" accepts what is there.',
    };
  },
  function mapMaybeOutdated({ doubtful: { pageCount } }) {
    if (pageCount === 0) return null;
    return {
      id: 'mapMaybeOutdated',
      state: 'critical',
      status: `The newest version of ${formatCount(pageCount, 'page')} of the map may be lost.`,
      action:
        'Restore a newer text of the map ("dmremap metadata restore"), or accept it with "dmremap run --force".',
    };
  },
  function damagedCopies({ copies }) {
    if (copies === null || copies.badCount === 0) return null;
    const { count, badCount } = copies;
    return {
      id: 'damagedCopies',
      state: count - badCount <= 1 ? 'critical' : 'degraded',
      status: `${formatCount(badCount, 'metadata copy', 'metadata copies')} of ${count} ${badCount === 1 ? 'is' : 'are'} stale, damaged or unreadable.`,
      action:
        'They are rewritten at the next start (dmremap run). If they turn bad again, the spare device is failing: replace it.',
    };
  },
  function spareNearlyFull(facts) {
    if (facts.freeSpareUnits === 0 || levelOf(facts) !== 'nearlyFull') return null;
    return {
      id: 'spareNearlyFull',
      state: 'critical',
      status: `${leftText(facts)}: more in use than emergency_threshold, ${facts.settings.emergency_threshold} %, allows.`,
      action: 'Add a spare (dmremap spare add), or copy the data to another disk now.',
    };
  },
  function lowSpare(facts) {
    if (facts.freeSpareUnits === 0 || levelOf(facts) !== 'low') return null;
    return {
      id: 'lowSpare',
      state: 'degraded',
      status: `${leftText(facts)}.`,
      action: 'Plan to copy the data to another disk.',
    };
  },
  function spareEmptying({ emptying }) {
    if (emptying.length === 0) return null;
    const spares = emptying.map(
      ({ spareIndex, path, movedUnits, leftUnits }) =>
        `Spare ${spareIndex} (${path}) is ${leftUnits === 0 ? 'empty' : 'being emptied'} and takes no units: ${formatNumber(movedUnits)} moved to the others, ${formatNumber(leftUnits)} to go.`,
    );
    return {
      id: 'spareEmptying',
      state: 'degraded',
      status: spares.join(' '),
      action: `Take it out with "dmremap spare remove ${emptying[0]!.spareIndex} --set SET", which also goes on moving; with --keep it is used again.`,
    };
  },
  function smallSpare({ usableSpareUnits, mainUnits, settings }) {
    const wantedPercent = settings.spare_overhead_percent;
    if (usableSpareUnits * 100 >= mainUnits * wantedPercent) return null;
    const percent = ((usableSpareUnits * 100) / mainUnits).toFixed(2);
    return {
      id: 'smallSpare',
      state: 'degraded',
      status: `The spares have room for ${percent} % of the main device; spare_overhead_percent asks for ${wantedPercent} %.`,
      action: 'Add a spare (dmremap spare add).',
    };
  },
  function notCleanlyStopped({ mayBeInUse }) {
    if (!mayBeInUse) return null;
    return {
      id: 'notCleanlyStopped',
      state: 'healthy',
      status: 'The set is in use now, or was not stopped cleanly.',
      action: 'If it is not in use: none, the next start recovers by itself.',
    };
  },
  function remapped({ remappedUnits }) {
    if (remappedUnits === 0) return null;
    return {
      id: 'remapped',
      state: 'degraded',
      status: `The main device has bad sectors: ${formatCount(remappedUnits, 'unit')} of it ${remappedUnits === 1 ? 'lives' : 'live'} on a spare.`,
      action:
        'Keep a backup, and watch whether the number grows: a growing number means that the disk is dying.',
    };
  },
];

/** An image without holes never meets this one. */
function howToMend(refusing: readonly TakingNoneReport[]): string {
  if (!refusing.some(({ refusal }) => refusal === 'ENOSPC')) return '';
  return ' ENOSPC: the file system that holds the image is full; with room there the next bad sector is moved again.';
}

function levelOf({
  freeSpareUnits,
  usableSpareUnits,
  settings,
}: HealthFacts): ReturnType<typeof spareLevelOf> {
  return spareLevelOf({
    freeUnits: freeSpareUnits,
    usableUnits: usableSpareUnits,
    warningPercent: settings.spare_warning_percent,
    emergencyPercent: settings.emergency_threshold,
  });
}

function leftText({ freeSpareUnits, usableSpareUnits }: HealthFacts): string {
  return `Only ${formatNumber(freeSpareUnits)} of ${formatCount(usableSpareUnits, 'spare unit')} are left`;
}
