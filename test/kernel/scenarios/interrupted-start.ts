import { existsSync } from 'node:fs';
import { FEATURE_FLAG } from '../../../src/kernel/ublk-abi.js';
import { UblkControl } from '../../../src/kernel/ublk-control.js';
import { serverTagOfSetId } from '../../../src/library/ublk-registry.js';
import type { Background } from '../lab/guest/background.js';
import { ramDisks } from '../lab/guest/brd.js';
import { dmremap, type ServeOptions, serve, startServer } from '../lab/guest/dmremap.js';
import { expect } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { hasOpenCharacterDevice, killWhen, stopLast, worksAndGoes } from '../lab/guest/short-lived-server.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'interrupted-start',
  about:
    'A server dies at every stage of its start or of taking over a device: the next one always works, and no device is left over.',
  kernels: ['6.12', '6.18'],
  notInSuite: 'takes 8 minutes; the suite shall end in 30',
  timeoutSeconds: 600,
  steps: {
    async main(guest) {
      const [main, spare] = await ramDisks(guest, 2, 16);
      await dmremap(guest, ['format', '--main', main!, '--spare', spare!, '--yes']);
      const options = { main: main!, spares: [spare!], frontend: 'ublk' } as const;
      await guest.modprobe('ublk_drv');
      await addedOnly(guest, options);
      await worksAndGoes(guest, options);
      await recoveryBegunOnly(guest, options);
      await killedWhileTakingOver(guest, options);
      await killedWhileTakingOver(guest, { ...options, further: ['--queues', '2'] });
      for (const [stage, reached] of Object.entries(STAGES_OF_START)) {
        guest.say(`killed when there is ${stage}`);
        await killWhen(startServer(guest, options), reached);
        await worksAndGoes(guest, options);
      }
    },
  },
});

/** Of a server that starts afresh. */
const STAGES_OF_START: Readonly<Record<string, (program: Background) => boolean>> = {
  'a character device': () => existsSync('/dev/ublkc0'),
  'a character device in use': hasOpenCharacterDevice,
};

/** What a server leaves that dies right after its first command. */
async function addedOnly(guest: Guest, { spares }: ServeOptions): Promise<void> {
  guest.say('killed after ADD_DEV');
  const { stdout } = await dmremap(guest, ['inspect', '--json', ...spares]);
  const { setId } = JSON.parse(stdout) as { setId: string };
  const added = await withControl((control) =>
    control.add({
      queueCount: 1,
      queueDepth: 128,
      maxIoBytes: 512 << 10,
      flags: FEATURE_FLAG.USER_RECOVERY | FEATURE_FLAG.USER_RECOVERY_REISSUE,
      serverPid: -1,
      serverTag: serverTagOfSetId(setId),
    }),
  );
  expect(added.ok, 'a device was added');
}

/** A server that dies right after it has told the driver that it will go on with a device. */
async function recoveryBegunOnly(guest: Guest, options: ServeOptions): Promise<void> {
  guest.say('killed after START_USER_RECOVERY');
  const served = await serve(guest, options);
  await served.crash();
  await withControl(async (control) => {
    while ((await control.startRecovery(0)) === -EBUSY) await guest.sleep(50);
  });
  await worksAndGoes(guest, options);
}

/** Twice in a row, with I/O that waits all the time. */
async function killedWhileTakingOver(guest: Guest, options: ServeOptions): Promise<void> {
  guest.say('killed with the character device in use, twice');
  const served = await serve(guest, options);
  const file = await PatternFile.open(served.path);
  await served.crash();
  const waiting = file.writeAll(0, 64, 7);
  for (let time = 0; time < 2; time += 1) await killWhen(startServer(guest, options), hasOpenCharacterDevice);
  const last = await serve(guest, options);
  await waiting;
  await file.expect(0, 64, 7);
  await file.close();
  await stopLast(last);
}

async function withControl<Value>(use: (control: UblkControl) => Promise<Value>): Promise<Value> {
  const control = UblkControl.open();
  if (!control.ok) throw new Error(`/dev/ublk-control: errno ${control.error}`);
  try {
    return await use(control.value);
  } finally {
    control.value.close();
  }
}

const EBUSY = 16;
