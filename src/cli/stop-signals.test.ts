import { describe, expect, it } from 'vitest';
import { type StopSignal, stopSignalsOf } from './stop-signals.js';

describe('stop signals', () => {
  it('resolve with the first one, and end nothing', async () => {
    const { first, send, exits } = listening();
    send('SIGINT', 1000);
    expect(await first).toBe('SIGINT');
    expect(exits).toEqual([]);
  });

  it('are awaited again after a request that was refused', async () => {
    const { signals, send, exits } = listening();
    send('SIGTERM', 1000);
    const second = signals.next();
    send('SIGUSR2', 2000);
    expect(await second).toBe('SIGUSR2');
    expect(exits).toEqual([]);
  });

  it('that come twice for one request count once', () => {
    const { send, exits } = listening();
    send('SIGINT', 1000);
    send('SIGINT', 1001);
    send('SIGTERM', 1499);
    expect(exits).toEqual([]);
  });

  it('end the process when somebody asks again', () => {
    const { send, exits } = listening();
    send('SIGTERM', 1000);
    send('SIGINT', 1500);
    expect(exits).toEqual([130]);
  });
});

describe('a stop signal that is postponed', () => {
  it('is the first one of the program that takes the place of this one, and of no other', async () => {
    const environment: NodeJS.ProcessEnv = {};
    listening(environment).signals.postpone('SIGTERM');
    const { signals, first, send, exits } = listening(environment);
    expect(await first).toBe('SIGTERM');
    expect(environment).toEqual({});
    const second = signals.next();
    send('SIGINT', 1000);
    expect(await second).toBe('SIGINT');
    expect(exits).toEqual([]);
  });

  it('does not keep another one from ending the process at once', async () => {
    const environment: NodeJS.ProcessEnv = {};
    listening(environment).signals.postpone('SIGTERM');
    const { first, send, exits } = listening(environment);
    await first;
    send('SIGTERM', 1000);
    expect(exits).toEqual([143]);
  });
});

/** A process that is told what happens and when. */
function listening(env: NodeJS.ProcessEnv = {}) {
  const listeners = new Map<StopSignal, () => void>();
  const exits: number[] = [];
  let nowMs = 0;
  const process = {
    env,
    on: (signal: StopSignal, listener: () => void) => listeners.set(signal, listener),
    exit: (status: number) => void exits.push(status),
  };
  const signals = stopSignalsOf(process, () => nowMs);
  const first = signals.next();
  const send = (signal: StopSignal, atMs: number): void => {
    nowMs = atMs;
    listeners.get(signal)!();
  };
  return { signals, first, send, exits };
}
