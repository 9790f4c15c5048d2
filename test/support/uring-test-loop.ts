import { UringReactor } from '../../src/kernel/reactor.js';

/** Why io_uring can't be tested on this machine; '' where it can. */
export function whyNoUring(): string {
  const reactor = UringReactor.open(8);
  if (!reactor.ok) return reactor.error.meaning;
  reactor.value.close();
  return '';
}

export function openTestReactor(): UringReactor {
  const reactor = UringReactor.open(64);
  if (!reactor.ok) throw new Error(reactor.error.meaning);
  return reactor.value;
}

/** Turns the reactor till `done()`; rejects after `limitMs`, so that a lost completion fails its test. */
export async function runReactorUntil(
  reactor: UringReactor,
  done: () => boolean,
  limitMs = 10_000,
): Promise<void> {
  const endMs = reactor.nowMs() + limitMs;
  // Stands behind the pollers under test and keeps the loop from sleeping on what they have just finished.
  const watcher = { poll: done };
  reactor.addPoller(watcher);
  while (!done()) {
    if (reactor.nowMs() > endMs) throw new Error(`still waiting after ${limitMs} ms`);
    reactor.turn(1000);
  }
  reactor.removePoller(watcher);
}
