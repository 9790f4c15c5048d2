import type { DeviceStatus } from '../../library/device-types.js';
import { healthScore } from '../../library/health-score.js';
import { judgeHealth } from '../../library/judge-health.js';
import { SET_AT_WORK } from '../set-at-work.js';
import { done, type MessageFamily, type MessageReply, type MessageTarget, unitSectorsOf } from './message.js';

/** The module's v4 messages that report numbers. What is not measured here is 0 (docs/dmsetup-face.md). */
export const REPORT_MESSAGES: MessageFamily = {
  status: async (_, target) => statusLine(target, await target.device.status()),
  stats: async (_, target) => statsLine(target, await target.device.status()),
  print_stats: async (_, target) => statsLine(target, await target.device.status()),
  health: async (_, target) => healthLine(target, await target.device.status()),
  clear_stats: (_, target) => clearStatistics(target),
  cache_stats: () => done('cache_hits=0 cache_misses=0 hit_rate=0% fast_path=0 cache_size=0'),
  spare_stats: async (_, target) => spareLines(target, await target.device.status()),
};

function statusLine({ figures }: MessageTarget, status: DeviceStatus): MessageReply {
  const { reads, writes, ...counters } = figures.of(status.counters);
  const numbers = `mappings=${status.remappedUnits} reads=${reads} writes=${writes}`;
  return done(`${numbers} errors=${ioErrorsOf(counters)} health=${scoreOf(status)}%`);
}

function statsLine(target: MessageTarget, status: DeviceStatus): MessageReply {
  const counters = target.figures.of(status.counters);
  const remappedSectors = status.remappedUnits * unitSectorsOf(target);
  const numbers = `total_ios=${counters.reads + counters.writes} normal=0 remapped=0 errors=${ioErrorsOf(counters)}`;
  return done(
    `${numbers} remapped_sectors=${remappedSectors} avg_latency_ns=${meanLatencyNs(target)} max_latency_ns=0`,
  );
}

/** As the kernel measures it for the block device; 0 without one. */
function meanLatencyNs({ device }: MessageTarget): number {
  const statistics = device.ublk?.statistics();
  if (statistics === undefined || statistics.ioCount === 0) return 0;
  return Math.round(statistics.totalTimeNs / statistics.ioCount);
}

function healthLine({ figures }: MessageTarget, status: DeviceStatus): MessageReply {
  const numbers = `health_score=${scoreOf(status)}% scan_count=${figures.scanCount}`;
  return done(`${numbers} hotspot_sectors=0 consecutive_errors=0 trend=0`);
}

async function clearStatistics({ device, figures, nowSeconds }: MessageTarget): Promise<MessageReply> {
  figures.clear((await device.status()).counters, nowSeconds());
  return done('Statistics cleared');
}

/** Each spare of a set is in use; full is the whole set, because units go to any of them. */
function spareLines({ device }: MessageTarget, status: DeviceStatus): MessageReply {
  const { freeSpareUnits, usableSpareUnits, counters } = status;
  const total = device.info.spares.length;
  const failed = status.gone.filter(({ spareIndex }) => spareIndex !== null).length;
  const working = total - failed;
  const [inUse, full] = freeSpareUnits === 0 ? [0, working] : [working, 0];
  const toMiB = (units: number): number => Math.floor((units * device.info.unitBytes) / MIB_BYTES);
  const room = `${toMiB(usableSpareUnits)} MB total, ${toMiB(usableSpareUnits - freeSpareUnits)} allocated`;
  return done(
    [
      `Devices: ${total} total (0 available, ${inUse} in-use, ${full} full, ${failed} failed)`,
      `Capacity: ${room}, ${toMiB(freeSpareUnits)} free`,
      `Allocations: ${status.remappedUnits} active, ${remapsOf(counters)} lifetime`,
    ].join('\n'),
  );
}

/** Failed I/Os of the disks; most of them no client ever hears of. */
function ioErrorsOf(counters: Pick<DeviceStatus['counters'], ErrorCounter>): number {
  const { mainReadErrors, mainWriteErrors, spareReadErrors, spareWriteErrors } = counters;
  return mainReadErrors + mainWriteErrors + spareReadErrors + spareWriteErrors;
}

type ErrorCounter = 'mainReadErrors' | 'mainWriteErrors' | 'spareReadErrors' | 'spareWriteErrors';

function remapsOf(counters: DeviceStatus['counters']): number {
  const { remapsOfWrites, remapsOfReads, remapsOfSpares, remapsByHand } = counters;
  return remapsOfWrites + remapsOfReads + remapsOfSpares + remapsByHand;
}

function scoreOf(status: DeviceStatus): number {
  return healthScore({ ...status, health: judgeHealth({ ...status, ...SET_AT_WORK }) });
}

const MIB_BYTES = 1 << 20;
