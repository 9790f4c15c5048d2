let slowness = 1;

/**
 * How long to wait for something that takes less than `seconds` on an idle host: longer on a busy one. The host says
 * how much, by the time it took to boot.
 */
export function patienceMs(seconds: number): number {
  return seconds * slowness * 1_000;
}

/** For the agent. */
export function setSlowness(factor: number): void {
  slowness = factor;
}
