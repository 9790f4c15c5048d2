import { ramDisks } from '../lab/guest/brd.js';
import { type LogEvent, ofKind } from '../lab/guest/device-log.js';
import type { Served, ServeOptions } from '../lab/guest/dmremap.js';
import { errorCode } from '../lab/guest/error-code.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { NullBlock } from '../lab/guest/null-block.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { formatSet, inspectSet } from '../lab/guest/set-metadata.js';
import { useDevice } from '../lab/guest/use-device.js';
import { UNIT_SECTORS, WriteLedger } from '../lab/guest/write-ledger.js';
import { type Frontend, scenario } from '../lab/scenario.js';

export default scenario({
  name: 'spare-runs-full',
  about:
    'Sectors go bad under four writers until the spare is full: then an honest error and an alert, and everything that was acknowledged is read back, also after a restart.',
  kernels: ['6.12'],
  notInSuite: 'takes 4 minutes; the suite shall end in 30',
  frontends: ['ublk', 'nbd'],
  processors: 1,
  timeoutSeconds: 300,
  steps: {
    async main(guest, { frontend }: { frontend: Frontend }) {
      const disk = await NullBlock.create(guest, `nullb-${frontend}`, { sizeMiB: 4 });
      const [spare] = await ramDisks(guest, 1, 1);
      // Alerts are counted: the log is to leave nothing of a flood of them out.
      const set = { main: disk.path, spares: [spare!], frontend, further: ['--log-level', 'debug'] };
      await formatSet(set);
      const writers = [0, 1, 2, 3].map((index) => new Writer(disk, index));
      const events = await useDevice(guest, set, (file, served) =>
        fill(guest, writers, file, served, frontend),
      );
      checkAlert(events);
      checkHealth(await inspectSet([spare!]), events);
      await afterRestart(guest, set, writers);
    },
  },
});

/** Writes until every writer has met a few writes that found no spare. */
async function fill(
  guest: Guest,
  writers: readonly Writer[],
  first: PatternFile,
  served: Served,
  frontend: Frontend,
): Promise<void> {
  const files = [first, ...(await Promise.all([1, 2, 3].map(() => PatternFile.open(served.path))))];
  await Promise.all(writers.map((writer, index) => writer.run(files[index]!)));
  const codes = new Set(writers.flatMap(({ ledger }) => [...ledger.errors.keys()]));
  // The kernel's NBD driver makes EIO of every error.
  expectEqual([...codes], [frontend === 'ublk' ? 'ENOSPC' : 'EIO'], 'errors that the application saw');
  for (const [index, writer] of writers.entries()) await writer.ledger.check(files[index]!);
  await errorCode(first.flush()).then((code) => expectEqual(code, null, 'fsync with a full spare'));
  await writers[0]!.rewriteAcknowledged(first);
  for (const file of files.slice(1)) await file.close();
  guest.say(
    `${writers.map(({ generation, ledger }) => `${generation} passes, ${ledger.failedWriteCount} failed`).join('; ')}`,
  );
}

/** Has a quarter of the device. Ahead of it, where all is going to be written anew, the disk gets bad sectors. */
class Writer {
  readonly ledger = new WriteLedger();
  generation = 0;
  private readonly disk: NullBlock;
  private readonly firstUnit: number;
  private readonly acknowledgedUnits = new Set<number>();

  constructor(disk: NullBlock, index: number) {
    this.disk = disk;
    this.firstUnit = index * UNITS_OF_WRITER;
  }

  async run(file: PatternFile): Promise<void> {
    while (this.ledger.failedWriteCount < 5) {
      this.generation += 1;
      expect(this.generation < 100, 'the spare is full at some time');
      for (let unit = 0; unit < UNITS_OF_WRITER; unit++) {
        if ((unit + this.generation) % 5 === 0) this.spoil(unit + 1);
        await this.write(file, unit);
      }
      await this.ledger.check(file);
    }
  }

  /** What was acknowledged can be written again, on the disk and on the spare. */
  async rewriteAcknowledged(file: PatternFile): Promise<void> {
    for (const unit of this.acknowledgedUnits)
      expectEqual(
        await this.ledger.write(file, unit, this.generation + 1),
        null,
        `writing unit ${unit} again`,
      );
    await this.ledger.check(file);
  }

  private async write(file: PatternFile, index: number): Promise<void> {
    const unit = this.firstUnit + index;
    const code = await this.ledger.write(file, unit, this.generation);
    if (code === null) this.acknowledgedUnits.add(unit);
    else this.forget(unit);
  }

  /** The disk can't be read there either: what was acknowledged there in an earlier pass is lost with the sector. */
  private forget(unit: number): void {
    this.acknowledgedUnits.delete(unit);
    this.ledger.forget(unit);
  }

  private spoil(index: number): void {
    const sector = (this.firstUnit + index) * UNIT_SECTORS + (index % UNIT_SECTORS);
    if (index < UNITS_OF_WRITER) this.disk.addBadSectors(sector, sector);
  }
}

function checkAlert(events: readonly LogEvent[]): void {
  const alerts = ofKind(events, 'spareExhausted');
  expect(alerts.length > 0, 'the log says that the spare is full');
  expect(
    alerts.every(({ level }) => level === 'error'),
    'it is an error in the log',
  );
  for (const event of ['lost', 'breakerOpened', 'commitFailed', 'spareFailed'])
    expectEqual(ofKind(events, event), [], `${event} in the log`);
}

function checkHealth(report: Awaited<ReturnType<typeof inspectSet>>, events: readonly LogEvent[]): void {
  expectEqual(report.freeSpareUnits, 0, 'free units on the spare');
  expectEqual(report.remaps.length, report.usableSpareUnits, 'units on the spare');
  expectEqual(report.state, 'critical', 'state');
  expect(
    report.findings.some(({ id }) => id === 'noSpareLeft'),
    'inspect finds that no spare is left',
  );
  expectEqual(
    report.counters.writesWithoutSpare,
    ofKind(events, 'spareExhausted').length,
    'writes without a spare',
  );
}

async function afterRestart(guest: Guest, set: ServeOptions, writers: readonly Writer[]): Promise<void> {
  await useDevice(guest, set, async (file) => {
    for (const { ledger } of writers) await ledger.check(file);
  });
}

/** Four times that, in units of 4096 bytes, are the device of 4 MiB. */
const UNITS_OF_WRITER = 256;
