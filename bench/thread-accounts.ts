import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

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
