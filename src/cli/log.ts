import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import type { DeviceNotice } from '../library/device-types.js';
import type { LogLevel } from './log-level.js';
import type { Output } from './output.js';
import { printable } from './printable.js';

/**
 * The log of a running command, on standard error: lines for people on a terminal, JSON lines otherwise. Written at
 * once, so that nothing is missing when the process is killed.
 */
export async function openLog(output: Output, level: LogLevel): Promise<Log> {
  const formatters = { level: (label: string) => ({ level: label }) };
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime, formatters };
  return pino(options, await destinationFor(output));
}

export type Log = Logger;

/** What the device reports, as a log line: its message for people, event and details for programs. */
export function logNotice(log: Log, notice: DeviceNotice): void {
  log[notice.level]({ event: notice.event, ...notice.details }, printable(notice.message));
}

async function destinationFor(output: Output): Promise<DestinationStream> {
  if (!output.isTerminal) return fileOrPipe();
  const { PinoPretty } = await import('pino-pretty');
  return PinoPretty({
    destination: STANDARD_ERROR,
    sync: true,
    colorize: output.hasColour,
    translateTime: 'SYS:HH:MM:ss',
    hideObject: true,
  });
}

/** What can't be written, because the disk of the log is full, is kept as far as there is room: no reason to stop serving. */
function fileOrPipe(): DestinationStream {
  const stream = destination({ dest: STANDARD_ERROR, sync: true, maxLength: MAX_KEPT_CHARACTERS });
  stream.on('error', () => {});
  return stream;
}

const MAX_KEPT_CHARACTERS = 1 << 20;
const STANDARD_ERROR = 2;
