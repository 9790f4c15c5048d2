import { describe, expect, it } from 'vitest';
import type { RemapDoubt } from '../format/import/module-remap.js';
import { DmRemapError } from '../library/errors.js';
import type { ImportOptions } from '../library/import-types.js';
import { runCommandLine } from './command-line.js';
import { doubtText, moduleSpareText } from './import-text.js';
import { fakeContext, recordingOutput } from './testing/fake-context.js';
import { importPlan, importResult, moduleRemap } from './testing/import-examples.js';

const ARGS = ['import', '/dev/old', '--main', '/dev/sda', '--to', '/dev/sdb'];

async function failureOf(args: readonly string[]): Promise<string> {
  const error = await runCommandLine(args, fakeContext().context).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DmRemapError)) throw new Error(`not a DmRemapError: ${String(error)}`);
  return `${error.failure}: ${error.message}`;
}

describe('dmremap import', () => {
  it('shows what was found and what would be written, asks, and imports only after YES', async () => {
    for (const answer of ['yes', 'YES']) {
      let importedCount = 0;
      const { context, out, err } = fakeContext({
        ask: async () => answer,
        calls: {
          planImport: async () => importPlan(),
          importSpare: async () => {
            importedCount += 1;
            return importResult();
          },
        },
      });
      expect(await runCommandLine(ARGS, context)).toBe(answer === 'YES' ? 0 : 1);
      expect(importedCount).toBe(answer === 'YES' ? 1 : 0);
      for (const line of [
        /^ {5}main: \/dev\/sda, 64 MiB: is not written$/m,
        /^old spare: \/dev\/old, 4 MiB: is not written$/m,
        /^new spare: \/dev\/sdb, 16 MiB: WILL BE OVERWRITTEN, holds: xfs$/m,
        /^ {4}found: the record of version 4.2 of the kernel module$/m,
        /^ {3}remaps: 2, of which 1 can be trusted$/m,
        /^ {3}import: 1 remap in 1 unit of 4 KiB/m,
        /^ left out: 1 remap, for the reasons below: their sectors will be read from the main/m,
        /^ {3}1 +256 +badChecksum +- +- +-$/m,
        /^ +1000 +5000 +active +yes$/m,
        /^ +300 +12 +active +no: its spare sector lies in the module's own metadata$/m,
      ]) {
        expect(err.text).toMatch(line);
      }
      expect(out.text === '').toBe(answer !== 'YES');
    }
  });

  it('only looks without --to, and shows the plan and ends with --dry-run', async () => {
    const { context, out, err } = fakeContext({
      calls: {
        inspectModuleSpare: async () => importPlan(),
        planImport: async () => importPlan(),
        importSpare: () => Promise.reject(new Error('must not import')),
      },
    });
    expect(await runCommandLine(['import', '/dev/old', '--main', '/dev/sda'], context)).toBe(0);
    expect(await runCommandLine(['import', '/dev/old'], context)).toBe(0);
    expect(err.text).toContain('nothing was imported; --to says');
    expect(await runCommandLine([...ARGS, '--dry-run'], context)).toBe(0);
    expect(out.text).toContain('WILL BE OVERWRITTEN');
  });

  it('does not ask with --yes, hands all options on, and prints JSON with a version', async () => {
    const told: ImportOptions[] = [];
    const { context, out, err } = fakeContext({
      calls: {
        planImport: async (options) => {
          told.push(options);
          return importPlan();
        },
        importSpare: async (options, { agreed, onRead }) => {
          told.push(options);
          expect(agreed).toEqual(importPlan());
          onRead?.(1, 1);
          return importResult();
        },
      },
    });
    const flags = ['--yes', '--json', '--force', '--include-disputed'];
    expect(await runCommandLine([...ARGS, ...flags], context)).toBe(0);
    const options = {
      spare: '/dev/old',
      main: '/dev/sda',
      to: '/dev/sdb',
      includeDisputed: true,
      force: true,
    };
    expect(told).toEqual([options, options]);
    expect(JSON.parse(out.text)).toMatchObject({ version: 1, unitCount: 1, leftOut: [{ mainSector: 300 }] });
    expect(err.text).toBe('');
  });

  it('says afterwards what was lost and what was not imported', async () => {
    const { context, out } = fakeContext({
      calls: {
        planImport: async () => importPlan(),
        importSpare: async () => importResult({ lostOnSpare: [1000], lostOnMain: [1005, 1001, 1002] }),
      },
    });
    expect(await runCommandLine([...ARGS, '--yes'], context)).toBe(0);
    expect(out.text).toMatch(/^imported 1 remap into 1 unit of \/dev\/sdb, the spare of set 0f0e/);
    expect(out.text).toContain(
      '\nlost: 1 sector could not be read from the old spare: main sector 1000\n' +
        'lost: 3 sectors could not be read from the main device: main sectors 1001-1002,1005\n' +
        'not imported: 1 remap that can not be trusted; read from the main device: main sector 300\n',
    );
  });

  it('tells a person at a terminal how far it is', async () => {
    const err = { ...recordingOutput(), isTerminal: true };
    const { context } = fakeContext({
      err,
      calls: {
        planImport: async () => importPlan(),
        importSpare: async (_, { onRead }) => {
          onRead?.(1, 2);
          onRead?.(2, 2);
          return importResult();
        },
      },
    });
    expect(await runCommandLine([...ARGS, '--yes'], context)).toBe(0);
    expect(err.text).toBe(
      '\rread 1 of 2 units\rread 2 of 2 units; now all is written to the new spare and read back\n',
    );
  });

  it('names the option for remaps that are only disputed', async () => {
    const leftOut = [moduleRemap({ doubts: ['copiesDisagree'] }), moduleRemap({ doubts: ['repeatedMain'] })];
    const { context, out, err } = fakeContext({
      ask: async () => 'YES',
      calls: {
        planImport: async () => importPlan({ leftOut }),
        importSpare: async () => importResult({ leftOut }),
      },
    });
    expect(await runCommandLine(ARGS, context)).toBe(0);
    for (const text of [out.text, err.text.replaceAll(/\s+/g, ' ')]) {
      expect(text).toContain('1 of them only disputed: --include-disputed imports these too');
    }
  });

  it('refuses without a new spare, saying why it can not be the old one, and without a main device', async () => {
    expect(await failureOf(['import', 'S', '--to', 'N'])).toMatch(/^usage: .*--main/);
    expect(await failureOf(['import', '--main', 'M'])).toMatch(/^usage: missing required argument/);
  });

  it('refuses without a terminal and without --yes', async () => {
    const { context } = fakeContext({ calls: { planImport: async () => importPlan() } });
    await expect(runCommandLine(ARGS, context)).rejects.toThrow('--yes');
  });
});

describe('dmremap import --list', () => {
  it('shows what is there, asks nothing, and ends with 5 where nothing can be imported', async () => {
    for (const isUsable of [true, false]) {
      const report = { ...importPlan(), isUsable, main: null };
      const { context, out } = fakeContext({ calls: { inspectModuleSpare: async () => report } });
      expect(await runCommandLine(['import', '/dev/old', '--list'], context)).toBe(isUsable ? 0 : 5);
      expect(out.text).toContain('  spare: /dev/old, 4 MiB\n');
    }
  });

  it('prints JSON with a version, also where nothing can be imported', async () => {
    const report = { ...importPlan(), isUsable: false };
    const { context, out } = fakeContext({ calls: { inspectModuleSpare: async () => report } });
    expect(await runCommandLine(['import', 'S', '--list', '--json'], context)).toBe(5);
    expect(JSON.parse(out.text)).toMatchObject({ version: 1, layout: 'v4.2', isUsable: false });
  });

  it('names the copies of a disputed remap, and numbers that no disk has', () => {
    const disputed = moduleRemap({
      mainSector: null,
      copies: [0, 3],
      doubts: ['copiesDisagree', 'mainOutOfRange'],
    });
    const { context } = fakeContext();
    const text = moduleSpareText({ ...importPlan(), remaps: [disputed] }, context.out);
    expect(text).toMatch(
      /^impossible +5000 +active +no: the valid copies disagree about it; .*main device \(in copy 0, copy 3\)$/m,
    );
  });

  it('has one line for entries that all say the same', () => {
    const zero = moduleRemap({ mainSector: 0, spareSector: 0, doubts: ['spareInMetadata', 'repeatedMain'] });
    const { context } = fakeContext();
    const remaps = [...Array.from({ length: 252 }, () => zero), moduleRemap()];
    const lines = moduleSpareText({ ...importPlan(), remaps }, context.out).split('\n');
    expect(lines.filter((line) => /^ *0 +0 +active/.test(line))).toEqual([
      expect.stringContaining('(252 entries say this)'),
    ]);
    expect(lines.filter((line) => /^ *1000 +5000 +active/.test(line))).toHaveLength(1);
  });

  it('has a different sentence for every doubt', () => {
    const doubts: Record<RemapDoubt, true> = {
      copiesDisagree: true,
      unknownFlags: true,
      overwrittenByHeader: true,
      mainOutOfRange: true,
      spareOutOfRange: true,
      spareInMetadata: true,
      repeatedMain: true,
      repeatedSpare: true,
      largeSectors: true,
    };
    const texts = (Object.keys(doubts) as RemapDoubt[]).map(doubtText);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('has a manual', async () => {
    const { context, out } = fakeContext();
    expect(await runCommandLine(['import', '--help'], context)).toBe(0);
    expect(out.text).toMatch(
      /^SYNOPSIS\n {4}dmremap import .*\n\nDESCRIPTION\n(.*\n)+\nEXIT STATUS\n(.*\n)+\nEXAMPLES\n/,
    );
    expect(Math.max(...out.text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  });
});
