import type { ModuleFigures } from './module-figures.js';

/** The formats of the module's `dmremap-status`; `timeMs` since 1970. */

/** Its groups and names, numbers as numbers. */
export function jsonStatus(f: ModuleFigures, timeMs: number): string {
  const document = {
    timestamp: new Date(timeMs).toISOString(),
    device: {
      version: f.version,
      target: f.target,
      size_sectors: f.lengthSectors,
      size_gb: rounded(f.lengthSectors * f.sectorBytes, GIB_BYTES),
      sector_size: f.sectorBytes,
    },
    devices: {
      main: f.mainPath,
      spare: f.sparePath,
      spare_capacity_sectors: f.spareCapacitySectors,
      spare_capacity_gb: rounded(f.spareCapacitySectors * f.sectorBytes, GIB_BYTES),
    },
    io_statistics: {
      total_reads: f.reads,
      total_writes: f.writes,
      total_remaps: f.remaps,
      total_errors: f.errors,
    },
    performance: {
      io_ops_completed: f.ioOperations,
      total_time_ns: f.totalTimeNs,
      avg_latency_ns: f.averageLatencyNs,
      avg_latency_us: rounded(f.averageLatencyNs, 1000),
      throughput_bps: f.throughputBytesPerSecond,
      throughput_mbps: rounded(f.throughputBytesPerSecond, MIB_BYTES),
    },
    remapping: {
      active_remaps: f.activeMappings,
      total_ios: f.totalIos,
      normal_ios: f.normalIos,
      remapped_ios: f.remappedIos,
      remapped_sectors: f.remappedSectors,
    },
    cache: {
      hits: f.cacheHits,
      misses: f.cacheMisses,
      total_lookups: f.cacheHits + f.cacheMisses,
      fast_path_hits: f.fastPathHits,
      slow_path_hits: f.slowPathHits,
      hit_rate_percent: f.cacheHitPercent,
    },
    health: {
      score: f.healthScore,
      status: ratingOf(f.healthScore),
      hotspots: f.hotspots,
      health_scans: f.healthScans,
    },
    operational: { state: f.state, mode: f.mode },
  };
  return JSON.stringify(document, null, 2);
}

/** Two lines: titles, then values. */
export function csvStatus(f: ModuleFigures, timeMs: number): string {
  const cells: readonly (readonly [string, string | number])[] = [
    ['timestamp', new Date(timeMs).toISOString()],
    ['device', f.mainPath],
    ['version', f.version],
    ['size_gb', ((f.lengthSectors * f.sectorBytes) / GIB_BYTES).toFixed(1)],
    ['health_score', f.healthScore],
    ['health_status', ratingOf(f.healthScore)],
    ['state', f.state],
    ['latency_us', (f.averageLatencyNs / 1000).toFixed(1)],
    ['throughput_mbps', (f.throughputBytesPerSecond / MIB_BYTES).toFixed(0)],
    ['reads', f.reads],
    ['writes', f.writes],
    ['errors', f.errors],
    ['active_remaps', f.activeMappings],
    ['remapped_ios', f.remappedIos],
    ['remapped_sectors', f.remappedSectors],
    ['cache_hit_rate', f.cacheHitPercent],
    ['io_ops', f.ioOperations],
    ['hotspots', f.hotspots],
  ];
  return `# ${cells.map(([title]) => title).join(',')}\n${cells.map(([, value]) => quoted(value)).join(',')}`;
}

/** RFC 4180: a path may hold commas. */
function quoted(value: string | number): string {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function compactStatus(f: ModuleFigures): string {
  const latency = `latency=${(f.averageLatencyNs / 1000).toFixed(1)}μs`;
  const throughput = `throughput=${(f.throughputBytesPerSecond / MIB_BYTES).toFixed(0)}MB/s`;
  const counts = `cache=${f.cacheHitPercent}% errors=${f.errors} hotspots=${f.hotspots}`;
  return `${f.version}: health=${f.healthScore}% ${latency} ${throughput} ${counts}`;
}

/** Of a score, as the module's tool has it. */
export function ratingOf(score: number): string {
  const band = RATINGS.find(([least]) => score >= least);
  return band === undefined ? 'CRITICAL' : band[1];
}

const RATINGS: readonly (readonly [number, string])[] = [
  [95, 'EXCELLENT'],
  [80, 'GOOD'],
  [60, 'FAIR'],
  [40, 'POOR'],
];

function rounded(amount: number, per: number): number {
  return Number((amount / per).toFixed(2));
}

export const MIB_BYTES = 1 << 20;
export const GIB_BYTES = 1 << 30;
