import { expect, test } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import type { DeviceResource } from '../control/schema/device.js';
import { devicesOf } from './follow-at-boot.js';
import { deviceResource } from './testing/device-resource.js';
import { fakeContext } from './testing/fake-context.js';
import { untilServed } from './until-served.js';

const DEAD = { lives: false };
const AT_ONCE = { limitMs: 0, lookMs: 0 };
const before = deviceResource();
const after = deviceResource({ spares: [...before.spares, ...before.spares] });
const needed = devicesOf(after);
const isChanged = ({ spares }: DeviceResource) => spares.length === 2;

/** What each look finds, and whether the process lives at that moment; the last look counts for all that follow. */
function machine(looks: readonly { readonly found?: DeviceResource; readonly lives: boolean }[]) {
  let count = 0;
  const now = () => looks[Math.min(count, looks.length - 1)]!;
  const all = async () => {
    const { found } = now();
    return found === undefined ? [] : [{ device: found } as RunningSet];
  };
  const isProcessAlive = async () => {
    const { lives } = now();
    count += 1;
    return lives;
  };
  const one = () => Promise.reject(new Error('not asked for'));
  return fakeContext({ running: { all, one }, calls: { isProcessAlive } });
}

test('A process that lives is waited for beyond the limit, until the set is as it should be', async () => {
  const starting = { lives: true };
  const { context } = machine([
    { found: before, lives: true },
    starting,
    starting,
    { found: after, lives: true },
  ]);
  await expect(untilServed(before, context, isChanged, needed, AT_ONCE)).resolves.toEqual(after);
});

test('A process that died without anybody in its place is reported', async () => {
  const { context } = machine([{ lives: true }, { lives: false }]);
  await expect(untilServed(before, context, isChanged, needed, AT_ONCE)).rejects.toMatchObject({
    failure: 'system',
    message:
      'process 4711 ended and nobody serves the set again: see its log, and run it again; it needs --main /dev/sda --spare /dev/sdb --spare /dev/sdb',
  });
});

test('That it has died is told once, with what whoever runs the set again has to give', async () => {
  const { context, err } = machine([{ lives: true }, DEAD, DEAD, { found: after, lives: false }]);
  await untilServed(before, context, isChanged, needed, { limitMs: 60_000, lookMs: 0 });
  expect(err.text).toBe(
    'dmremap: process 4711 ended; waiting until the set is served again: it needs --main /dev/sda --spare /dev/sdb --spare /dev/sdb\n',
  );
});

test('Where nobody knows whether the change was made, it is told how to see that', async () => {
  const { context, err } = machine([DEAD, { found: after, lives: false }]);
  await untilServed(before, context, isChanged, null, { limitMs: 60_000, lookMs: 0 });
  expect(err.text).toContain('waiting until the set is served again: "dmremap scan" shows');
});

test('Another process may serve the changed set', async () => {
  const successor = { ...after, processId: 4712 };
  const { context } = machine([{ lives: false }, { found: successor, lives: false }]);
  await expect(
    untilServed(before, context, isChanged, needed, { limitMs: 60_000, lookMs: 0 }),
  ).resolves.toEqual(successor);
});
