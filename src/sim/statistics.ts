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
  recoveries: number;
  outages: number;
  moves: number;
  lostBlocks: number;
  failedRequests: number;
  rests: number;
  scrubs: number;
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
    recoveries: 0,
    outages: 0,
    moves: 0,
    lostBlocks: 0,
    failedRequests: 0,
    rests: 0,
    scrubs: 0,
    repairs: 0,
    restores: 0,
    virtualSeconds: 0,
  };
}

export function addStatistics(total: Statistics, more: Statistics): void {
  for (const key of Object.keys(more) as (keyof Statistics)[]) total[key] += more[key];
}
