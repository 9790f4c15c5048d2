import { Aim } from './aim.js';
import { BlockModel } from './block-model.js';
import { Client, MANY_PLACES } from './client.js';
import { ByHand } from './commands/by-hand.js';
import { ChangingSettings } from './commands/changing-settings.js';
import { Emptying } from './commands/emptying.js';
import { Evacuating } from './commands/evacuating.js';
import { Held } from './commands/held.js';
import { MainChange } from './commands/main-change.js';
import { Shifting } from './commands/shifting.js';
import { Events } from './events.js';
import { Excuses } from './excuses.js';
import { freeUnitCount } from './free-units.js';
import { GrowingNumbers } from './growing-numbers.js';
import { HeardEvents } from './heard-events.js';
import { Holding } from './holding.js';
import type { FaultParts } from './inject-fault.js';
import { Ledger } from './ledger.js';
import { Machine } from './machine.js';
import { copyAt } from './metadata-reader.js';
import { OldBytes } from './old-bytes.js';
import { Outages } from './outages.js';
import { PlacesLeft } from './places-left.js';
import { Random } from './random.js';
import { RequestCounts } from './request-counts.js';
import type { Scenario } from './scenario.js';
import { SimClock } from './sim-clock.js';
import type { Statistics } from './statistics.js';
import { Told } from './told.js';

/** All that one run is made of, put together. */
export function makeRunParts(
  scenario: Scenario,
  seed: number,
  statistics: Statistics,
  log: ((line: string) => void) | undefined,
): RunParts {
  const { blockBytes, unitBytes, mainBytes } = scenario;
  const model = new BlockModel(Math.floor(mainBytes / blockBytes));
  const clock = new SimClock();
  const excuses = new Excuses();
  const isMostlyBusy = (): boolean =>
    client.isBusyIn(model.blockCount / 4) ||
    held.isWanted ||
    !evacuating.isSettled ||
    byHand.pendingCount + emptying.pendingCount >= MANY_PLACES;
  const ledger = new Ledger({
    ...{ blockBytes, unitBytes, model, clock, excuses, statistics, log, isMostlyBusy },
  });
  const machine = new Machine(scenario, new Random(seed, EXECUTION_STREAM), clock, ledger);
  const outages = new Outages(machine, ledger, excuses);
  const faultParts = { machine, ledger, outages, excuses, old: new OldBytes(machine), aim: new Aim(machine) };
  const mayHoldMore = (): boolean =>
    ledger.mayHaveFailedToCommit(
      (target, offsetBytes) => copyAt(machine.layout!, target - 1, offsetBytes) !== -1,
    );
  const heardOf = {
    told: new Told(),
    holding: new Holding(clock),
    placesLeft: new PlacesLeft(machine, ledger),
  };
  const counts = new RequestCounts(blockBytes);
  const settings = new ChangingSettings({ machine, excuses, ledger, statistics, log });
  const common = {
    ...{ model, excuses, statistics, log },
    mayRefuseWrites: () => ledger.unwritableOnSpares >= MANY_BAD_UNITS,
    mayHoldMore,
    mayBeFull: (sinceUs: number): boolean =>
      mayHoldMore() ||
      settings.mayBeAtLimit(sinceUs) ||
      freeUnitCount(machine, emptying.leavingSince(sinceUs)) <= FEW_UNITS,
  };
  const client = new Client({
    ...{ ...common, scenario, clock, counts },
    mayReadLostAsZero: (sinceUs) => settings.mayReadLostAsZero(sinceUs),
    isBeingCopied: () => machine.life?.replacement?.state !== undefined,
  });
  const emptying = new Emptying({ ...faultParts, ...common });
  const shifting = new Shifting({ ...faultParts, ...common });
  const evacuating = new Evacuating({ ...faultParts, ...common });
  const byHand = new ByHand({ ...faultParts, ...common });
  const held = new Held(faultParts);
  return {
    ...{ scenario, statistics, log, machine, model, excuses, ledger, outages, faultParts, client, counts },
    ...{ ...heardOf, mayHoldMore, settings, emptying, byHand, shifting, evacuating, held },
    mainChange: new MainChange({ machine, model, statistics }),
    growing: new GrowingNumbers(),
    events: new Events(machine, () => client.describePending()),
    heard: new HeardEvents({ machine, ledger, statistics, shifting, emptying, evacuating, ...heardOf, log }),
  };
}

export interface RunParts {
  readonly scenario: Scenario;
  readonly statistics: Statistics;
  readonly log: ((line: string) => void) | undefined;
  readonly machine: Machine;
  readonly model: BlockModel;
  readonly excuses: Excuses;
  readonly ledger: Ledger;
  readonly outages: Outages;
  readonly faultParts: FaultParts;
  readonly client: Client;
  readonly byHand: ByHand;
  readonly shifting: Shifting;
  readonly emptying: Emptying;
  readonly evacuating: Evacuating;
  readonly mainChange: MainChange;
  readonly held: Held;
  readonly settings: ChangingSettings;
  readonly growing: GrowingNumbers;
  readonly events: Events;
  readonly heard: HeardEvents;
  readonly told: Told;
  readonly holding: Holding;
  readonly placesLeft: PlacesLeft;
  readonly counts: RequestCounts;
  /** In this life of the process the disks may have come to hold more of the map than it goes by: a commit may have failed. */
  readonly mayHoldMore: () => boolean;
}

const EXECUTION_STREAM = 1;
/** A spare that refuses so many units in a row is left alone for a while (docs/error-policy.md). */
const MANY_BAD_UNITS = 16;
/** Places that procedures under way may have taken. */
const FEW_UNITS = 40;
