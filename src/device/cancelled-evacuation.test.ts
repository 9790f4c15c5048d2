import { expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { numberedDevice, touchesBlocks } from './testing/numbered-device.js';

const MIB = 1 << 20;
const MAIN = 0;
const FIRST_DISK = 2;
const SECOND_DISK = 3;

it('Copying that is cancelled twice lets go of its own disk, and not of the next one', () => {
  const { rig, client } = numberedDevice({
    spareBytes: [4 * MIB, 4 * MIB, 4 * MIB],
    furtherDiskCount: 2,
    onGone: { holdMs: 0 },
    lateStores: true,
  });
  rig.open();
  rig.evacuateTo(FIRST_DISK);
  rig.scheduler.advance(30_000);
  expect(rig.device!.replacement.progress!.state).toBe('copied');
  // Two units of the same section are busy for two seconds each.
  rig.stores[MAIN]!.judge = (io) =>
    io.kind === 'read' && (touchesBlocks(io, 96, 1) || touchesBlocks(io, 160, 1)) ? ERRNO.EAGAIN : 0;
  client.beginRead(96, 1, 0);
  rig.scheduler.advance(300);
  client.beginRead(160, 1, 1);
  const done: string[] = [];
  const cancel = (name: string): void =>
    rig.owner.run(() => rig.device!.replacement.cancel(() => done.push(name)));
  cancel('first');
  rig.scheduler.advance(0);
  rig.scheduler.advance(0);
  cancel('second');
  for (let turns = 0; !done.includes('first') && turns < 100; turns += 1) rig.scheduler.advance(50);
  rig.stores[MAIN]!.judge = () => 0;
  rig.evacuateTo(SECOND_DISK);
  rig.scheduler.advance(30_000);
  expect(done).toEqual(['first', 'second']);
  expect(rig.device!.replacement.progress).toMatchObject({ state: 'copied', copiedBytes: 4 * MIB });
});
