import { describe, expect, it } from 'vitest';
import { DmRemapError } from '../../library/errors.js';
import { answerMessage, MESSAGE_NAMES } from './answer-message.js';
import { FakeTarget } from './testing/fake-target.js';

/** Texts of messages that are sent one after the other; with `!CLASS` where they fail. */
async function conversation(target: FakeTarget, ...messages: readonly string[]): Promise<string[]> {
  const texts: string[] = [];
  for (const message of messages) {
    const { text, failure } = await answerMessage(message, target);
    texts.push(failure === null ? text : `!${failure} ${text}`);
  }
  return texts;
}

describe('messages of v1 to v3', () => {
  it('move a sector once, with the place where it really is', async () => {
    expect(
      await conversation(
        new FakeTarget(),
        'ping',
        'remap 1003',
        'remap 1000',
        'verify 1003',
        'verify 2000',
        'clear',
        'verify 1003',
      ),
    ).toEqual([
      'pong',
      'remapped sector 1003 -> spare sector 83',
      '!usage error: sector 1000 already remapped',
      'sector 1003 -> spare 83',
      'sector 2000 not remapped',
      'cleared all remap entries',
      'sector 1003 not remapped',
    ]);
  });

  it.each([
    'remap x',
    'remap',
    'remap 16384',
    'verify -1',
    'remap 1e3',
    'remove_remap 99999',
  ])('%s: no sector of the device', async (message) => {
    const [text] = await conversation(new FakeTarget(), message);
    expect(text).toBe(`!usage error: invalid sector '${message.split(' ')[1] ?? ''}'`);
  });

  it.each([
    ['remap 1 2 3', "remap takes 1 argument at most, not '1 2 3'"],
    ['PING extra', "ping takes no arguments, not 'extra'"],
    ['clear 800', "clear takes no arguments, not '800'"],
    ['load 8 80 1 2', "load takes 3 arguments at most, not '8 80 1 2'"],
    ['remap_control add 8 80 1', "remap_control takes 3 arguments at most, not 'add 8 80 1'"],
    ['remap_control list 8', "remap_control takes 1 argument at most, not 'list 8'"],
  ])('%s: surplus arguments, and nothing is done', async (message, problem) => {
    const target = new FakeTarget();
    expect(await conversation(target, 'remap 8', message, 'verify 0', 'verify 8')).toEqual([
      'remapped sector 8 -> spare sector 80',
      `!usage error: ${problem}`,
      'sector 0 not remapped',
      'sector 8 -> spare 80',
    ]);
  });

  it('say what the device refuses, such as all while it is suspended', async () => {
    const target = new FakeTarget();
    const refusal = new DmRemapError('refused', 'the device is suspended; resume it first');
    target.device.moveByHand = () => Promise.reject(refusal);
    expect(await conversation(target, 'remap 8')).toEqual([
      '!refused error: the device is suspended; resume it first',
    ]);
  });

  it('say that no spare sector is left', async () => {
    const target = new FakeTarget();
    target.hasRoom = false;
    expect(await conversation(target, 'remap 8')).toEqual(['!refused error: no spare sectors available']);
  });

  it('keep what the main device does not take back', async () => {
    const target = new FakeTarget();
    target.stuck.add(1);
    const texts = await conversation(target, 'remap 8', 'remap 16', 'clear', 'verify 8', 'verify 16');
    expect(texts[2]).toMatch(/^!io error: 1 remap entries stay, 1 were cleared; sector 8: /);
    expect(texts.slice(3)).toEqual(['sector 8 -> spare 80', 'sector 16 not remapped']);
  });

  it('tell of the metadata, which is saved always', async () => {
    const target = new FakeTarget();
    target.counters.metadataCommits = 4;
    expect(
      await conversation(target, 'remap 8', 'save', 'restore', 'sync', 'metadata_status', 'scan'),
    ).toEqual([
      'remapped sector 8 -> spare sector 80',
      'metadata saved successfully',
      'restored 1 remap entries',
      'synced 1 entries to metadata',
      'metadata: enabled, autosave: active, saves: 4/0 (success/fail)',
      'scan: 3 metadata pages compared, 1 blocks repaired',
    ]);
  });

  it('say when saving failed', async () => {
    const target = new FakeTarget();
    target.flushFails = true;
    expect(await conversation(target, 'save', 'sync')).toEqual([
      '!io metadata save failed: the flush failed',
      '!io sync failed: the flush failed',
    ]);
  });
});

describe('messages that name a place on the spare', () => {
  it('take it if it is free, and never one that another unit has', async () => {
    expect(
      await conversation(
        new FakeTarget(),
        'load 1000 400 1',
        'load 1008 403',
        'load 1000 500',
        'test_remap 0x10 96',
        'remap_control add 24 200',
        'remap_control list',
      ),
    ).toEqual([
      'loaded 1000 -> 400',
      '!usage error: spare sector 403 already in use',
      '!usage error: sector 1000 already remapped',
      'Created test remap: bad_sector=16 spare_sector=96 (metadata write requested)',
      'loaded 24 -> 200',
      'sectors 16+8 -> spare 96\nsectors 24+8 -> spare 200\nsectors 1000+8 -> spare 400',
    ]);
  });

  it('go elsewhere where metadata is, and say where', async () => {
    expect(await conversation(new FakeTarget(), 'load 1001 0', 'test_remap 8 8')).toEqual([
      'loaded 1001 -> 81',
      'Created test remap: bad_sector=8 spare_sector=88 (metadata write requested)',
    ]);
  });

  it('refuse what is no place at all', async () => {
    expect(
      await conversation(
        new FakeTarget(),
        'load 8',
        'load 8 800',
        'test_remap 8',
        'test_remap 8 800',
        'test_remap 16384 88',
      ),
    ).toEqual([
      "!usage error: invalid sector ''",
      "!usage error: invalid sector '800'",
      '!usage Usage: test_remap <bad_sector> <spare_sector>',
      "!usage error: invalid sector '800'",
      "!usage error: invalid sector '16384'",
    ]);
  });

  it('move ranges as a whole or not at all, as far as places go', async () => {
    expect(
      await conversation(
        new FakeTarget(),
        'load 5016 416',
        'add_remap 4000 400 24',
        'verify 4000',
        'add_remap 4000 500 20',
        'verify 4019',
        'verify 4024',
        'add_remap 4000 500 20',
        'remove_remap 4000',
        'remove_remap 4000',
      ),
    ).toEqual([
      'loaded 5016 -> 416',
      '!usage error: spare sector 416 already in use',
      'sector 4000 not remapped',
      'added remap: 4000 -> 496, 20 sectors',
      'sector 4019 -> spare 515',
      'sector 4024 not remapped',
      'added remap: 4000 -> 496, 20 sectors',
      'removed remap: 4000',
      '!usage error: sector 4000 not remapped',
    ]);
  });

  it('lay the units of a range side by side also where it begins in the midst of a unit', async () => {
    const target = new FakeTarget();
    expect(
      await conversation(target, 'add_remap 4004 400 20', 'verify 4007', 'verify 4008', 'verify 4023'),
    ).toEqual([
      'added remap: 4004 -> 404, 20 sectors',
      'sector 4007 -> spare 407',
      'sector 4008 -> spare 408',
      'sector 4023 -> spare 423',
    ]);
  });

  it('count remaps anew after clear, as the module, and errors on', async () => {
    const target = new FakeTarget();
    Object.assign(target.counters, { remapsOfWrites: 2, mainWriteErrors: 3 });
    await conversation(target, 'remap 8', 'clear');
    const { remapsByHand, remapsOfWrites, mainWriteErrors } = target.figures.of(target.counters);
    expect([remapsByHand, remapsOfWrites, mainWriteErrors]).toEqual([0, 0, 3]);
  });

  it.each([
    'add_remap 0 100 0',
    'add_remap 16380 100 5',
    'add_remap 0 790 20',
    'add_remap 4 792 5',
    'add_remap 0 100',
  ])('%s: refused', async (message) => {
    expect((await answerMessage(message, new FakeTarget())).failure).toBe('usage');
  });
});

describe('messages of v4', () => {
  it('report numbers since the start, and since clear_stats', async () => {
    const target = new FakeTarget();
    Object.assign(target.counters, { reads: 5, writes: 3, mainReadErrors: 2, spareWriteErrors: 1 });
    expect(await conversation(target, 'remap 8', 'status', 'stats', 'scan', 'health', 'clear_stats')).toEqual(
      [
        'remapped sector 8 -> spare sector 80',
        'mappings=1 reads=5 writes=3 errors=3 health=93%',
        'total_ios=8 normal=0 remapped=0 errors=3 remapped_sectors=8 avg_latency_ns=0 max_latency_ns=0',
        'scan: 3 metadata pages compared, 1 blocks repaired',
        'health_score=93% scan_count=1 hotspot_sectors=0 consecutive_errors=0 trend=0',
        'Statistics cleared',
      ],
    );
    target.counters.reads += 1;
    expect(await conversation(target, 'status', 'health', 'cache_stats', 'spare_stats')).toEqual([
      'mappings=1 reads=1 writes=0 errors=0 health=93%',
      'health_score=93% scan_count=0 hotspot_sectors=0 consecutive_errors=0 trend=0',
      'cache_hits=0 cache_misses=0 hit_rate=0% fast_path=0 cache_size=0',
      [
        'Devices: 1 total (0 available, 1 in-use, 0 full, 0 failed)',
        'Capacity: 0 MB total, 0 allocated, 0 free',
        'Allocations: 1 active, 1 lifetime',
      ].join('\n'),
    ]);
    expect(target.figures.sinceSeconds).toBe(2000);
  });

  it('tell the latency that the kernel measures for a block device', async () => {
    const target = new FakeTarget();
    const statistics = () => ({ ioCount: 4, totalTimeNs: 6_000_000 });
    target.device.ublk = { statistics } as unknown as typeof target.device.ublk;
    expect((await conversation(target, 'stats'))[0]).toContain(' avg_latency_ns=1500000 ');
  });

  it('take names in any case, and say what they do not know, each version in its words', async () => {
    const target = new FakeTarget();
    expect(
      await conversation(
        target,
        ' PING ',
        '',
        'frob',
        'auto_remap',
        'auto_remap Disable',
        'set_auto_remap 1',
        'auto_remap 0',
      ),
    ).toEqual([
      'pong',
      '!usage error: missing command',
      "!usage Unknown command 'frob'. Try 'help'",
      'enabled (bad sectors are always moved, because a write that fails would be lost)',
      '!refused error: auto_remap cannot be disabled: bad sectors are always moved, because a write that fails would be lost',
      'enabled (bad sectors are always moved, because a write that fails would be lost)',
      '!refused error: auto_remap cannot be disabled: bad sectors are always moved, because a write that fails would be lost',
    ]);
    target.createdAs = { target: 'remap', spareRange: null };
    expect((await conversation(target, 'frob'))[0]).toMatch(
      /^!usage error: unknown command 'frob' \(try: ping/,
    );
  });

  it.each([
    'migrate /dev/sdZ',
    'spare_add /dev/sdZ',
    'spare_remove /dev/sdZ',
  ])('%s: names the command that does it', async (message) => {
    const { text, failure } = await answerMessage(message, new FakeTarget());
    expect(failure).toBe('refused');
    expect(text).toMatch(/^error: \w+ is no message here; use: dmremap spare /);
  });

  it('lists every message in help, and has all that the module documents', async () => {
    const { text } = await answerMessage('help', new FakeTarget());
    for (const name of MESSAGE_NAMES) expect(text).toContain(name);
    for (const name of 'ping remap verify clear load auto_remap scan save restore metadata_status sync help status stats clear_stats health cache_stats test_remap add_remap remove_remap clear_all migrate spare_add spare_remove spare_stats remap_control'.split(
      ' ',
    ))
      expect(MESSAGE_NAMES).toContain(name);
  });
});
