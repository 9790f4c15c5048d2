/** How much `dmremap run` logs: this and everything worse. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The setting `debug_level` in words of the log. */
export const LOG_LEVEL_OF_DEBUG_LEVEL: readonly LogLevel[] = ['warn', 'info', 'debug', 'debug'];

/** What `--log-level` makes of that setting: the highest of which as much is logged. */
export const DEBUG_LEVEL_OF_LOG_LEVEL: Readonly<Record<LogLevel, number>> = {
  debug: 3,
  info: 1,
  warn: 0,
  error: 0,
  silent: 0,
};
