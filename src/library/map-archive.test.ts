import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readDump } from '../device/read-dump.js';
import { type DumpEntry, formatDump } from '../device/set-dump.js';
import { exampleSuperblock } from '../format/testing/example-set.js';
import type { DeviceNotice } from '../runtime/device-report.js';
import { packEntries, unpackEntries } from '../runtime/map-changes.js';
import { ArchiveDirectory } from './archive-directory.js';
import { MapArchive } from './map-archive.js';

const ID = '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0';
let directory: string;
let notices: DeviceNotice[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-'));
  notices = [];
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function entry(spareUnit: number, mainUnit: number, state = 1): DumpEntry {
  const history = { timeSeconds: 1_760_000_000, errorCount: 1, moveCount: 2, reason: 1 };
  return [spareUnit, { state, mainUnit, lostMask: 0, ...history }];
}

function archive(path = directory, entries: readonly DumpEntry[] = []): MapArchive {
  const snapshot = { superblock: exampleSuperblock(), entries: packEntries(entries) };
  return new MapArchive(new ArchiveDirectory(path), snapshot, (notice) => notices.push(notice), 0);
}

function texts(): string[] {
  return readdirSync(directory)
    .sort()
    .map((name) => readFileSync(join(directory, name), 'utf8'));
}

describe('an archive of maps', () => {
  it('has the map as it was at the start and after a change, in files that restore takes', async () => {
    const kept = archive(directory, [entry(110, 4)]);
    kept.change(4, packEntries([entry(111, 5), entry(110, 0, 0)]));
    await kept.end();
    const dump = readDump(texts().at(-1)!, 0);
    expect(dump.ok && dump.value.entries).toEqual([entry(111, 5)]);
    expect(readdirSync(directory).at(-1)).toMatch(new RegExp(`^${ID}_\\d{8}T\\d{6}Z-\\d{3}_g\\d\\.txt$`));
    expect(notices).toEqual([]);
  });

  it('is one that restore takes also between the two commits with which a unit moves to another place', async () => {
    const kept = archive(directory, [entry(110, 4), entry(112, 6)]);
    const [, descriptor] = entry(105, 4);
    kept.change(4, packEntries([[105, { ...descriptor, moveCount: 3 }]]));
    await kept.end();
    const dump = readDump(texts().at(-1)!, 0);
    const states = new Map(dump.ok ? dump.value.entries.map(([unit, { state }]) => [unit, state]) : []);
    expect(states).toEqual(
      new Map([
        [105, 1],
        [112, 1],
        [110, 2],
      ]),
    );
  });

  it('adds nothing when it is opened again with the same map', async () => {
    for (let nth = 0; nth < 3; nth += 1) await archive(directory, [entry(110, 4)]).end();
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it('has the map of now in its last file, also where the clock was set back', async () => {
    const limits = { fileCount: 2, totalBytes: 1 << 20 };
    const kept = new ArchiveDirectory(directory, limits);
    const add = async (text: string, now: string): Promise<void> => {
      vi.useFakeTimers({ toFake: ['Date'], now: new Date(now) });
      expect(await kept.add({ setId: ID, generation: 1 }, [text])).toBeUndefined();
      vi.useRealTimers();
    };
    await add('before', '2026-11-30T22:00:00Z');
    await add('at that time', '2026-11-30T22:00:01Z');
    await add('set back', '1970-01-01T00:00:10Z');
    expect(texts()).toEqual(['at that time', 'set back']);
    await add('right again', '2026-11-30T22:00:02Z');
    expect(texts()).toEqual(['set back', 'right again']);
  });

  it('tells once that it can not write, goes on trying, and loses no change', async () => {
    const blocked = join(directory, 'blocked');
    writeFileSync(blocked, '');
    const kept = archive(join(blocked, 'maps'));
    for (let nth = 0; nth < 3; nth += 1) {
      kept.change(3, packEntries([entry(110 + nth, 4 + nth)]));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(notices).toMatchObject([{ level: 'warn', event: 'archiveFailed' }]);
    rmSync(blocked);
    mkdirSync(blocked);
    kept.change(3, packEntries([entry(120, 40)]));
    await kept.end();
    const [name] = readdirSync(join(blocked, 'maps'));
    const dump = readDump(readFileSync(join(blocked, 'maps', name!), 'utf8'), 0);
    expect(dump.ok && dump.value.entries.map(([unit]) => unit)).toEqual([110, 111, 112, 120]);
  });
});

describe('the directory of an archive', () => {
  const text = (nth: number): string[] => [
    ...formatDump({ superblock: exampleSuperblock(), entries: [entry(110, nth)], lostPages: [] }),
  ];

  it('keeps the newest files, of a bounded number and size, and leaves those of others alone', async () => {
    writeFileSync(join(directory, 'something-else.txt'), 'x');
    const sizeBytes = text(100).join('').length;
    for (const [limits, count] of [
      [{ fileCount: 4, totalBytes: 1 << 20 }, 4],
      [{ fileCount: 100, totalBytes: 2 * sizeBytes + 10 }, 2],
      [{ fileCount: 100, totalBytes: 1 }, 1],
    ] as const) {
      const kept = new ArchiveDirectory(directory, limits);
      for (let nth = 100; nth < 110; nth += 1)
        expect(await kept.add({ setId: ID, generation: 1 }, text(nth))).toBeUndefined();
      const files = readdirSync(directory).filter((name) => name.startsWith(ID));
      expect(files).toHaveLength(count);
      expect(texts().filter((each) => each.includes('remap main=872 '))).toHaveLength(1);
    }
    expect(readdirSync(directory)).toContain('something-else.txt');
  });
});

describe('changes as numbers', () => {
  it('are the same on the other side', () => {
    const entries = [entry(1, 2 ** 40), entry(2 ** 26, 0, 2)];
    expect([...unpackEntries(packEntries(entries))]).toEqual(entries);
  });
});
