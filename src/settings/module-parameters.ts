/**
 * Parameters of the kernel module that are no settings here. With a `value` that is how things are here: it is taken, and
 * nothing else is. Without one the parameter has no meaning.
 */
export interface ModuleParameter {
  readonly value: number | undefined;
  readonly module: string;
  /** Why it is so; goes on after "NAME: ". */
  readonly why: string;
}

export const MODULE_PARAMETERS: Readonly<Record<string, ModuleParameter>> = {
  auto_remap_enabled: {
    value: 1,
    module: 'Whether sectors with errors are remapped, default 0.',
    why: 'bad sectors are always moved, because a write that fails would be lost',
  },
  autosave_enabled: {
    value: 1,
    module: 'dm_remap_autosave_enabled: whether the metadata is saved by itself, default 1.',
    why: 'every change of the map is durable before it is used',
  },
  strict_spare_sizing: {
    value: 0,
    module: 'A spare has to be larger than the main device, default 0.',
    why: 'a spare holds the units that have moved, so it need not be as large as the main device',
  },
  real_device_mode: {
    value: 1,
    module: 'Real devices instead of a demonstration, default 1; 0 crashed the kernel.',
    why: 'there is no demonstration mode; "--faults" injects errors',
  },
  enable_fast_path: {
    value: 1,
    module: 'A shorter way for requests of sectors without a remap, default 1.',
    why: 'requests of regions where nothing has moved always take it',
  },
  fast_path_threshold: {
    value: undefined,
    module: 'Size of requests that took the fast path, in bytes, default 8192.',
    why: 'requests of every size take it',
  },
  minimal_tracking: {
    value: undefined,
    module: 'Fewer counters, default 0.',
    why: 'everything is counted, always',
  },
  enable_background_scanning: {
    value: undefined,
    module: 'Whether the device is scanned, default 1; nothing used it.',
    why: 'the surface is not scanned; metadata_scrub_hours says how often the metadata is compared',
  },
  enable_production_mode: {
    value: undefined,
    module: 'Retries and an emergency mode, default 1.',
    why: 'there is one mode; docs/error-policy.md says what is retried',
  },
  max_retries_production: {
    value: undefined,
    module: 'Retries of an I/O, default 5.',
    why: 'how often what is retried follows from the kind of error (docs/error-policy.md)',
  },
  initial_hash_size: {
    value: undefined,
    module: 'Documented only: buckets of the table, default 64.',
    why: 'the table has a fixed size that follows from the spares',
  },
  gc_interval: {
    value: undefined,
    module: 'Documented only: seconds between clean-ups, default 60.',
    why: 'there is nothing to clean up',
  },
  metadata_version: { value: undefined, module: 'To be read only.', why: 'is shown by "dmremap inspect"' },
  global_write_errors: figure('failed writes'),
  global_read_errors: figure('failed reads'),
  global_auto_remaps: figure('remaps'),
  perf_total_ios: figure('requests'),
  perf_avg_latency_ns: figure('mean latency'),
  perf_total_mb: figure('data moved'),
  perf_cache_hits: figure('hits of the cache'),
  perf_cache_misses: figure('misses of the cache'),
};

/** Names that the module has for one of these. */
export const MODULE_ALIASES: Readonly<Record<string, string>> = {
  dm_remap_autosave_enabled: 'autosave_enabled',
};

function figure(what: string): ModuleParameter {
  return {
    value: undefined,
    module: `To be read only: ${what} of all devices.`,
    why: 'is a number to read: "dmremap status" and message "stats" have it',
  };
}
