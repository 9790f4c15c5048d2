/** What happened, counted; of one run or many. */
export interface Statistics {
  runs: number;
  requests: number;
  diskIos: number;
  events: number;
  faults: number;
  powerCuts: number;
  kills: number;
  stops: number;
  /** To the next process, with requests in hand. */
  handOvers: number;
  recoveries: number;
  outages: number;
  moves: number;
  lostBlocks: number;
  failedRequests: number;
  rests: number;
  scrubs: number;
  /** Units that were moved, or released, by hand. */
  adds: number;
  releases: number;
  /** Units that were moved to another place on the spares. */
  shifts: number;
  /** Spares that were added or removed, or almost. */
  spareChanges: number;
  /** Sets that were copied to another disk, and how often that became the main device. */
  evacuations: number;
  acceptedLosses: number;
  /** From what an earlier process had copied. */
  copiesGoneOnWith: number;
  cutOvers: number;
  /** Sets that came back to the main device as a whole, which was looked at by itself. */
  leaves: number;
  /** Changes of settings that were answered. */
  settings: number;
  repairs: number;
  restores: number;
  virtualSeconds: number;
}

export function newStatistics(): Statistics {
  return {
    runs: 0,
    requests: 0,
    diskIos: 0,
    events: 0,
    faults: 0,
    powerCuts: 0,
    kills: 0,
    stops: 0,
    handOvers: 0,
    recoveries: 0,
    outages: 0,
    moves: 0,
    lostBlocks: 0,
    failedRequests: 0,
    rests: 0,
    scrubs: 0,
    adds: 0,
    releases: 0,
    shifts: 0,
    spareChanges: 0,
    evacuations: 0,
    acceptedLosses: 0,
    copiesGoneOnWith: 0,
    cutOvers: 0,
    leaves: 0,
    settings: 0,
    repairs: 0,
    restores: 0,
    virtualSeconds: 0,
  };
}

export function addStatistics(total: Statistics, more: Statistics): void {
  for (const key of Object.keys(more) as (keyof Statistics)[]) total[key] += more[key];
}
