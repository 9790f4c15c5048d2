import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Guest } from '../test/kernel/lab/guest/guest.js';

/**
 * Runs `work` and answers, for every thread that entered io_uring meanwhile, with its name and how often it did so per
 * request of the block device. Counted by the kernel (a histogram of its tracepoint), which costs the threads little.
 */
export async function countEnters(
  guest: Guest,
  device: string,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const trigger = `${ENTER_EVENT}/trigger`;
  guest.write(trigger, 'hist:key=common_pid.execname\n');
  const before = requestCount(device);
  await work();
  const requests = requestCount(device) - before;
  const histogram = readFileSync(`${ENTER_EVENT}/hist`, 'utf8');
  guest.write(trigger, '!hist:key=common_pid.execname\n');
  return [...histogram.matchAll(/common_pid: (.+?)\s*\[\s*(\d+)\] \} hitcount:\s*(\d+)/g)].map(
    ([, name, thread, count]) =>
      `${(Number(count) / requests).toFixed(3)} io_uring_enter per request by ${name} (thread ${thread}), ${requests} requests`,
  );
}

/** Of a block device: reads and writes that it completed. */
function requestCount(device: string): number {
  const fields = readFileSync(`/sys/class/block/${basename(device)}/stat`, 'utf8')
    .trim()
    .split(/\s+/);
  return Number(fields[0]) + Number(fields[4]);
}

/**
 * The functions in which the device thread spent most of its time, out of the profiles that `node --cpu-prof` left: one
 * for each thread of each program.
 */
export function profileOfDeviceThread(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((file) => {
    const lines = shares(JSON.parse(readFileSync(join(directory, file), 'utf8')) as Profile);
    return lines.some((line) => line.includes('ring.')) || lines.some((line) => line.includes('Ring'))
      ? [file, ...lines]
      : [];
  });
}

/** The self times that matter, largest first. */
function shares(profile: Profile): string[] {
  const placeOf = new Map(profile.nodes.map((node) => [node.id, placeName(node)]));
  const sums = new Map<string, number>();
  profile.samples.forEach((id, index) => {
    const place = placeOf.get(id)!;
    sums.set(place, (sums.get(place) ?? 0) + profile.timeDeltas[index]!);
  });
  const total = [...sums.values()].reduce((sum, one) => sum + one, 0);
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, LINES_MAX)
    .map(([place, sum]) => `${((100 * sum) / total).toFixed(1).padStart(6)} %  ${place}`);
}

function placeName({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  return url === '' ? functionName : `${functionName || '(anonymous)'} ${basename(url)}:${lineNumber + 1}`;
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  /** Ids of nodes. */
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

const ENTER_EVENT = '/sys/kernel/debug/tracing/events/syscalls/sys_enter_io_uring_enter';
const LINES_MAX = 30;
