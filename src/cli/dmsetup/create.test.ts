import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DmRemapError } from '../../library/errors.js';
import type { PairReport } from '../../library/examine-pair.js';
import type { FormatOptions } from '../../library/offline-types.js';
import type { CliContext } from '../cli-context.js';
import { runCommandLine } from '../command-line.js';
import { exitStatusOf } from '../exit-status.js';
import { deviceResource } from '../testing/device-resource.js';
import { fakeContext, formatPlan } from '../testing/fake-context.js';

const PAIR: PairReport = {
  mainSectorCount: 16_384,
  spareSectorCount: 4096,
  mainIsSpareOf: null,
  spare: { kind: 'blank' },
};
/** Whether something is there is looked at. */
const NBD = ['--nbd', 'nbd+unix:///?socket=/nowhere/nbd.sock'];

let runDirectory: string;
beforeEach(() => {
  runDirectory = mkdtempSync(join(tmpdir(), 'dmr-run-'));
});
afterEach(() => rmSync(runDirectory, { recursive: true }));

/** A creation ends after the formatting, which fails. */
function bench(pair: Partial<PairReport> = {}, names: readonly string[] = [], mainUnusedBytes = 0) {
  const formatted: FormatOptions[] = [];
  const examined: string[][] = [];
  const sets = names.map((name) => ({ client: undefined as never, device: deviceResource({ name }) }));
  const fake = fakeContext({
    running: { all: async () => sets, one: () => Promise.reject(new Error('nobody asks for one')) },
    calls: {
      checkUblk: async () => {
        throw new DmRemapError('system', '/dev/ublk-control: not there');
      },
      examinePair: async (main, spare) => {
        examined.push([main, spare]);
        return { ...PAIR, ...pair };
      },
      formatSpares: async (options) => {
        formatted.push(options);
        if (mainUnusedBytes > 0) return formatPlan({ mainUnusedBytes });
        throw new DmRemapError('system', 'formatted');
      },
    },
  });
  const startInBackground = async () => ({ kind: 'failed' as const, status: 3, reason: 'started' });
  return { ...fake, context: { ...fake.context, runDirectory, startInBackground }, formatted, examined };
}

async function failure(
  args: readonly string[],
  { context }: { readonly context: CliContext },
): Promise<string> {
  const error = await runCommandLine(['create', 'attic', ...args], context).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DmRemapError)) throw new Error(`expected a DmRemapError, not ${error}`);
  return `${exitStatusOf(error)} ${error.message}`;
}

describe('dmremap create', () => {
  it('formats a blank spare without a question, as a set of that name', async () => {
    const ground = bench();
    expect(await failure([...NBD, '--unit', '8k', '--table', '0 16384 remap /m /s 0 1000'], ground)).toBe(
      '7 formatted',
    );
    expect(ground.formatted).toEqual([
      { main: '/m', spares: ['/s'], name: 'attic', unitBytes: 8192, holdsMain: true },
    ]);
  });

  it('warns of what an image has beyond whole blocks', async () => {
    const ground = bench({}, [], 100);
    expect(await failure([...NBD, '--table', '0 16384 remap /m /s 0 1000'], ground)).toBe('3 started');
    expect(ground.err.text).toMatch(/^dmremap: warning: \/dev\/sda: 100 bytes at its end are not served/m);
  });

  it('takes the table from a file, devices by number, and warns where the main device is larger', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dmr-'));
    try {
      const path = join(directory, 'table');
      writeFileSync(path, '0 16000 dm-remap-v4 8:0 8:16\n');
      const ground = bench();
      expect(await failure([path, ...NBD], ground)).toBe('7 formatted');
      expect(ground.examined).toEqual([['/dev/block/8:0', '/dev/block/8:16']]);
      expect(ground.err.text).toContain('16,384 sectors, not 16,000');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each([
    ['0 16385 dm-remap /m /s', {}, '2 /m: has 16384 sectors'],
    ['0 16384 remap /m /s 0 4097', {}, '2 /s: has 4096 sectors'],
    ['0 16384 remap /m /s 8 1000', {}, '4 /s: what lies before spare_start 8'],
    ['0 16384 dm-remap /m /s', { spare: { kind: 'foreign', what: 'ext4' } }, '4 /s: holds ext4; use another'],
    [
      '0 16384 dm-remap /s /m',
      { mainIsSpareOf: 'ab-12', spare: { kind: 'foreign', what: 'ext4' } },
      '4 /s: is a spare of set ab-12; the table has MAIN first, then SPARE: were they swapped?',
    ],
    ['0 16384 dm-remap /m /s', { spare: { kind: 'set' } }, '3 started'],
  ] as const)('%s on %j: ends with %s, and nothing is written', async (table, pair, message) => {
    const ground = bench(pair);
    expect(await failure([...NBD, '--table', table], ground)).toContain(message);
    expect(ground.formatted).toEqual([]);
  });

  it('formats nothing where the log of the server could not be written', async () => {
    const table = ['--table', '0 16384 dm-remap /m /s'];
    const ground = bench();
    const file = join(runDirectory, 'file');
    writeFileSync(file, '');
    const at = (place: string | undefined) => ({ context: { ...ground.context, runDirectory: place } });
    expect(await failure([...NBD, ...table], at(undefined))).toContain('7 no run directory');
    expect(await failure([...NBD, ...table], at(join(file, 'run')))).toMatch(
      /^7 .*attic\.log: can't be written \(ENOTDIR\)$/,
    );
    expect(ground.formatted).toEqual([]);
  });

  it('takes a spare_start above 0 when told that nothing is there', async () => {
    const table = ['--table', '0 16384 remap /m /s 8 1000'];
    expect(await failure([...NBD, '--whole-spare', ...table], bench())).toBe('7 formatted');
  });

  it('opens a set again with the table that it has, whatever its spare_start', async () => {
    const table = ['--table', '0 16384 remap /m /s 8 1000'];
    expect(await failure([...NBD, ...table], bench({ spare: { kind: 'set' } }))).toBe('3 started');
  });

  it('does not choose between a table and a file of one', async () => {
    const table = ['--table', '0 16384 dm-remap /m /s'];
    expect(await failure(['/file', ...NBD, ...table], bench())).toBe(
      '2 --table and /file: give the table once',
    );
  });

  it('looks for ublk and for another set of that name before it touches anything', async () => {
    const table = ['--table', '0 16384 dm-remap /m /s'];
    const withoutDriver = bench();
    expect(await failure(table, withoutDriver)).toContain('7 /dev/ublk-control');
    const withTwin = bench({}, ['attic']);
    expect(await failure([...NBD, ...table], withTwin)).toContain('3 attic: exists already');
    expect([withoutDriver.examined, withTwin.examined]).toEqual([[], []]);
  });
});
