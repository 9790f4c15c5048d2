import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { ToGuest } from '../messages.js';
import type { Scenario } from '../scenario.js';
import { Guest } from './guest.js';
import { HostPort } from './host-port.js';
import { setSlowness } from './patience.js';

/** Runs inside the machine: takes steps from the host, runs them, tells how they ended. */
const port = new HostPort();
/** On an idle host; shorter than a scenario's limit, so that the kernel says what hangs. */
const HUNG_TASK_SECONDS = 20;
const recorded = new Map<number, () => void>();
let nextRecord = 0;

port.listen((message) => act(message));
port.send({ kind: 'ready' });

function act(message: ToGuest): void {
  switch (message.kind) {
    case 'step':
      runStep(message).then(
        (value) => port.send({ kind: 'done', id: message.id, value: value ?? null }),
        (error: unknown) => port.send({ kind: 'failed', id: message.id, message: textOf(error) }),
      );
      return;
    case 'recorded':
      recorded.get(message.id)!();
      recorded.delete(message.id);
      return;
    case 'showBlockedTasks':
      // Their stacks are of a level that the console is spared otherwise.
      writeFileSync('/proc/sys/kernel/printk', '8');
      return writeFileSync('/proc/sysrq-trigger', 'w');
    case 'powerOff':
      return powerOff();
  }
}

function powerOff(): void {
  if (existsSync('/run/systemd/system')) spawn('systemctl', ['--no-block', 'poweroff']);
  else writeFileSync('/proc/sysrq-trigger', 'o');
}

async function runStep({
  module,
  step,
  args,
  slowness,
}: Extract<ToGuest, { kind: 'step' }>): Promise<unknown> {
  const { default: scenario } = (await import(pathToFileURL(module).href)) as { default: Scenario };
  const perform = scenario.steps[step];
  if (perform === undefined) throw new Error(`${scenario.name} has no step ${step}`);
  setSlowness(slowness);
  writeFileSync('/proc/sys/kernel/hung_task_timeout_secs', String(Math.ceil(HUNG_TASK_SECONDS * slowness)));
  // The kernel refuses a message that is longer than about 1000 characters.
  writeFileSync('/dev/kmsg', `laboratory: step ${step} ${JSON.stringify(args).slice(0, 200)}\n`);
  const guest = new Guest({ say: (text) => port.send({ kind: 'said', text }), record });
  try {
    const value = await perform(guest, args as never);
    await guest.undo();
    return value;
  } catch (error) {
    guest.sayLastWords();
    throw error;
  }
}

function record(line: string): Promise<void> {
  const id = nextRecord++;
  return new Promise((resolve) => {
    recorded.set(id, resolve);
    port.send({ kind: 'record', id, line });
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
