import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from './command-line.js';
import { followAtBoot } from './follow-at-boot.js';
import { fakeContext, fakeMachine, inspectReport } from './testing/fake-context.js';

const SET_ID = inspectReport().setId;
const DEVICES = {
  '/dev/sdb': { kernelName: 'sdb', isPartition: false, links: ['disk/by-id/ata-OLD'] },
  '/dev/sdc': { kernelName: 'sdc', isPartition: false, links: ['disk/by-id/usb-SPARE'] },
  '/dev/sdd': { kernelName: 'sdd', isPartition: false, links: ['disk/by-id/ata-NEW'] },
  '/dev/vdz': { kernelName: 'vdz', isPartition: false, links: [] },
};

let root: string;
let runs: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dm-remap-follow-'));
  runs = [];
});

afterEach(() => rmSync(root, { recursive: true }));

function contextBelowRoot() {
  const machine = { ...fakeMachine(DEVICES, runs), root };
  const scanSets = async () => ({ sets: [], doubtful: [], unreadable: [] });
  return fakeContext({ calls: { inspectSpares: async () => inspectReport(), scanSets }, machine });
}

async function enable(): Promise<void> {
  const disks = ['--main', '/dev/sdb', '--spare', '/dev/sdc', '--root', root];
  const line = ['boot', 'enable', 'attic', ...disks, '--', '--queues', '2'];
  expect(await runCommandLine(line, contextBelowRoot().context)).toBe(0);
}

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
const environment = (): string[] =>
  textOf('etc/dm-remap/attic.env')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

describe('a set whose devices have changed', () => {
  it('starts at boot with those that it has now, with the options that it had', async () => {
    await enable();
    const { context, err } = contextBelowRoot();
    const line = followAtBoot({ setId: SET_ID, main: '/dev/sdd', spares: ['/dev/sdc', '/dev/vdz'] }, context);
    expect(line).toBe('attic starts at boot with the devices that it has now (/etc/dm-remap/attic.env)');
    expect(environment()).toEqual([
      'MAIN=/dev/disk/by-id/ata-NEW',
      'SPARES=--spare /dev/disk/by-id/usb-SPARE --spare /dev/vdz',
      'OPTIONS=--queues 2',
    ]);
    const rules = textOf('etc/udev/rules.d/61-dm-remap-attic.rules');
    expect([rules.includes('ata-NEW'), rules.includes('ata-OLD')]).toEqual([true, false]);
    expect(textOf('etc/systemd/system/dm-remap@attic.service.d/members.conf')).toContain(
      'ata\\x2dNEW.device',
    );
    expect(err.text).toContain('/dev/vdz has no name in /dev/disk/by-id');
    expect(runs).toEqual(['udevadm control --reload', 'systemctl daemon-reload']);
  });

  it('keeps its main device where only the spares are known', async () => {
    await enable();
    followAtBoot({ setId: SET_ID, main: undefined, spares: ['/dev/sdd'] }, contextBelowRoot().context);
    expect(environment().slice(0, 2)).toEqual([
      'MAIN=/dev/disk/by-id/ata-OLD',
      'SPARES=--spare /dev/disk/by-id/ata-NEW',
    ]);
  });

  it('is left alone where it does not start at boot', async () => {
    const { context } = contextBelowRoot();
    expect(followAtBoot({ setId: SET_ID, main: '/dev/sdd', spares: [] }, context)).toBeUndefined();
    expect(readdirSync(root)).toEqual([]);
    await enable();
    const other = SET_ID.replace('0f', '1f');
    expect(followAtBoot({ setId: other, main: '/dev/sdd', spares: [] }, context)).toBeUndefined();
    expect(environment()[0]).toBe('MAIN=/dev/disk/by-id/ata-OLD');
    expect(runs).toEqual([]);
  });

  it('has it told when the files can not be written', async () => {
    await enable();
    const rules = join(root, 'etc/udev/rules.d');
    rmSync(rules, { recursive: true });
    writeFileSync(rules, '');
    chmodSync(rules, 0o400);
    const { context, err } = contextBelowRoot();
    expect(followAtBoot({ setId: SET_ID, main: '/dev/sdd', spares: ['/dev/sdc'] }, context)).toBeUndefined();
    expect(err.text).toContain(
      'dmremap: warning: what starts the set at boot still names the devices that it had',
    );
  });
});
