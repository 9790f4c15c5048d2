import type { Background } from './background.js';
import { until } from './until.js';

/** A line of the log of `dmremap run`; `event` names it, the rest belongs to the event. */
export interface LogEvent {
  readonly event: string;
  readonly level: string;
  readonly msg: string;
  readonly [detail: string]: unknown;
}

/** What `dmremap run` has logged so far, in order, or what it logged of one kind. */
export function logEvents(program: Background, event?: string): LogEvent[] {
  const lines = program.stderr.slice(0, program.stderr.lastIndexOf('\n') + 1).split('\n');
  const events = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogEvent);
  return event === undefined ? events : ofKind(events, event);
}

export function ofKind(events: readonly LogEvent[], event: string): LogEvent[] {
  return events.filter((one) => one.event === event);
}

/** Waits until so many lines of one kind are in the log: it comes through a pipe, after the I/O that it is about. */
export function waitForEvents(program: Background, event: string, count: number): Promise<void> {
  return until(`${event}, ${count} times in the log`, () => logEvents(program, event).length >= count);
}
