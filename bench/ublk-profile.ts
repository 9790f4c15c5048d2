import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * Runs `work` and answers what each thread of a server needed meanwhile, per request of its block device: processor time,
 * and how often it slept. Read from the kernel's accounts: tracing patches the kernel while it runs, which QEMU 7.2
 * without KVM did not always survive (a panic in __schedule).
 */
export async function accountThreads(
  server: number,
  device: string,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const [before, requestsBefore] = [accountsOf(server), requestCount(device)];
  await work();
  const requests = requestCount(device) - requestsBefore;
  return [...accountsOf(server)].flatMap(([thread, { runNs, sleeps }]) => {
    const earlier = before.get(thread) ?? { runNs: 0, sleeps: 0 };
    const runUs = (runNs - earlier.runNs) / 1000 / requests;
    const sleepCount = (sleeps - earlier.sleeps) / requests;
    const line = `thread ${thread}: ${runUs.toFixed(1)} us of processor time, ${sleepCount.toFixed(2)} sleeps per request`;
    return runUs >= 0.1 ? [line] : [];
  });
}

interface Account {
  readonly runNs: number;
  readonly sleeps: number;
}

function accountsOf(server: number): ReadonlyMap<string, Account> {
  const directory = `/proc/${server}/task`;
  return new Map(
    readdirSync(directory).map((thread) => {
      const [runNs] = readFileSync(`${directory}/${thread}/schedstat`, 'utf8').split(' ');
      const status = readFileSync(`${directory}/${thread}/status`, 'utf8');
      const sleeps = Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)![1]);
      return [thread, { runNs: Number(runNs), sleeps }];
    }),
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
    return lines.some((line) => line.includes('ioUringEnter'))
      ? [`profile of a device thread`, ...lines]
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

const LINES_MAX = 30;
