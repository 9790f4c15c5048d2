import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { DeviceNotice } from '../library/device-types.js';
import type { Output } from './output.js';

/**
 * The log of a running command, on standard error: lines for people on a terminal, JSON lines otherwise. Written at
 * once, so that nothing is missing when the process is killed.
 */
export function openLog(output: Output, level: LogLevel): Log {
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime, formatters }, destinationFor(output));
}

export type Log = Logger;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** What the device reports, as a log line: its message for people, event and details for programs. */
export function logNotice(log: Log, notice: DeviceNotice): void {
  log[notice.level]({ event: notice.event, ...notice.details }, notice.message);
}

function destinationFor(output: Output): DestinationStream {
  if (!output.isTerminal) return destination({ dest: STANDARD_ERROR, sync: true });
  return PinoPretty({
    destination: STANDARD_ERROR,
    sync: true,
    colorize: output.hasColour,
    translateTime: 'SYS:HH:MM:ss',
    hideObject: true,
  });
}

const STANDARD_ERROR = 2;
