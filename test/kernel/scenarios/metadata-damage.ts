import { DmRemapError } from '../../../src/library/errors.js';
import { ramDisks } from '../lab/guest/brd.js';
import { type LogEvent, ofKind } from '../lab/guest/device-log.js';
import { linearTable, MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { dmremap } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import { flakeyTable, type Stretch } from '../lab/guest/flakey-table.js';
import type { Guest } from '../lab/guest/guest.js';
import { formatSet, inspectSet } from '../lab/guest/set-metadata.js';
import { useDevice } from '../lab/guest/use-device.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'metadata-damage',
  about:
    'A spare that corrupts or drops what is written to copies of the metadata, or corrupts it when it is read: never used, reported, repaired; with no good copy left the set is refused and nothing is changed.',
  kernels: ['6.12'],
  notInSuite: 'takes 4 minutes; the suite shall end in 30',
  processors: 1,
  timeoutSeconds: 300,
  steps: {
    async main(guest) {
      const test = await DamageTest.create(guest);
      await test.use('healthy', { newBadSector: 100 });
      expectEqual(badCopies(await test.inspect()), [], 'bad copies to begin with');

      await test.spoil([0], 'corrupt_bio_byte 61 w 165 0');
      await test.use('with one copy written wrongly', { newBadSector: 200 });
      await test.expectDamage([0]);
      await test.makeGood();
      expect(test.wasRepaired(await test.use('after that')), 'a repair is reported');
      expectEqual(badCopies(await test.inspect()), [], 'bad copies after the repair');

      await test.spoil([1, 2, 3, 4], 'drop_writes');
      await test.use('with four copies not written', { newBadSector: 300 });
      await test.makeGood();
      await test.expectDamage([1, 2, 3, 4]);
      expect(test.wasRepaired(await test.use('after that')), 'a repair is reported');
      expectEqual(badCopies(await test.inspect()), [], 'bad copies after the repair');

      await test.spoil([0, 1, 2, 4], 'corrupt_bio_byte 700 r 165 0');
      await test.use('with four copies read wrongly', { newBadSector: 400 });
      await test.spoil([0, 1, 2, 3, 4], 'corrupt_bio_byte 700 r 165 0');
      await test.expectRefused();
      await test.makeGood();
      await test.use('in the end');
      expectEqual(badCopies(await test.inspect()), [], 'bad copies in the end');
    },
  },
});

/** One set whose spare can be spoilt copy by copy; every use checks all data and adds some. */
class DamageTest {
  private readonly guest: Guest;
  private readonly main: MappedDevice;
  private readonly spare: MappedDevice;
  private readonly badSectors: number[] = [];
  private copyOffsets: readonly number[] = [];
  private generation = 0;

  static async create(guest: Guest): Promise<DamageTest> {
    const [main, spare] = await ramDisks(guest, 2, 4);
    const test = new DamageTest(
      guest,
      await MappedDevice.create(guest, 'main', linearTable(main!)),
      await MappedDevice.create(guest, 'spare', linearTable(spare!)),
    );
    await formatSet({ main: test.main.path, spares: [test.spare.path] });
    test.copyOffsets = (await test.inspect()).copies.map(({ offsetBytes }) => offsetBytes);
    return test;
  }

  private constructor(guest: Guest, main: MappedDevice, spare: MappedDevice) {
    this.guest = guest;
    this.main = main;
    this.spare = spare;
  }

  inspect(): Promise<Inspection> {
    return inspectSet([this.spare.path]);
  }

  /** Reads all that was written before, makes a sector bad, writes everything anew. Returns the log. */
  async use(when: string, change: { newBadSector?: number } = {}): Promise<readonly LogEvent[]> {
    const set = { main: this.main.path, spares: [this.spare.path], frontend: 'ublk' } as const;
    const events = await useDevice(this.guest, set, async (file) => {
      if (this.generation > 0) await file.expect(0, DATA_SECTORS, this.generation);
      if (change.newBadSector !== undefined) await this.addBadSector(change.newBadSector);
      this.generation += 1;
      await file.writeAll(0, DATA_SECTORS, this.generation);
      await file.flush();
      await file.expect(0, DATA_SECTORS, this.generation);
    });
    this.guest.say(`${when}: ${events.map(({ event }) => event).join(' ')}`);
    return events;
  }

  wasRepaired(events: readonly LogEvent[]): boolean {
    return ofKind(events, 'repaired').some(({ level }) => level === 'warn');
  }

  /** Every page of these copies by itself: dm-flakey spoils one byte of an I/O, and cuts it where a row ends. */
  async spoil(copies: readonly number[], feature: string): Promise<void> {
    const stretches = copies.flatMap((copy) => pagesOf(this.copyOffsets[copy]!));
    await this.spare.replaceTable(flakeyTable(SPARE_RAM, stretches, feature));
  }

  async makeGood(): Promise<void> {
    await this.spare.replaceTable(linearTable(SPARE_RAM));
  }

  async expectDamage(copies: readonly number[]): Promise<void> {
    const report = await this.inspect();
    expectEqual(badCopies(report), copies, 'copies that inspect calls bad');
    expect(
      report.findings.some(({ id }) => id === 'damagedCopies'),
      'inspect finds damaged copies',
    );
    expectEqual(
      report.remaps.map(({ mainSector }) => mainSector),
      this.expectedRemaps(),
      'remaps',
    );
  }

  /** As long as no copy can be read, neither `run` nor `inspect` does anything. */
  async expectRefused(): Promise<void> {
    const run = ['run', '--main', this.main.path, '--spare', this.spare.path, '--ublk'];
    const end = await dmremap(this.guest, run, { statuses: [METADATA_STATUS] });
    this.guest.say(end.stderr.trim());
    const refusal = await this.inspect().catch((error: unknown) => error);
    expect(refusal instanceof DmRemapError && refusal.failure === 'metadata', 'inspect refuses it too');
  }

  private async addBadSector(sector: number): Promise<void> {
    this.badSectors.push(sector);
    await this.main.replaceTable(tableWithBadSectors(MAIN_RAM, this.badSectors));
  }

  private expectedRemaps(): number[] {
    return this.badSectors.map((sector) => sector - (sector % 8));
  }
}

type Inspection = Awaited<ReturnType<typeof inspectSet>>;

function badCopies({ copies }: Inspection): number[] {
  return copies.filter((copy) => copy.superblock !== 'good' || copy.badPages > 0).map(({ index }) => index);
}

/** docs/on-disk-format.md, layout of a copy: two superblock slots, a text note of two pages, two slots for each page. */
function pagesOf(copyOffsetBytes: number): Stretch[] {
  const first = copyOffsetBytes / 512;
  return Array.from({ length: 4 + 2 * PAGES }, (_, page) => ({ first: first + page * 8, count: 8 }));
}

const MAIN_RAM = '/dev/ram0';
const SPARE_RAM = '/dev/ram1';
/** A spare of 4 MiB has 1024 units, 126 in a page. */
const PAGES = 9;
const DATA_SECTORS = 1_024;
/** docs/exit-codes.md. */
const METADATA_STATUS = 5;
