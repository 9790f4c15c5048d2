import { join } from 'node:path';
import { ramDisks } from '../lab/guest/brd.js';
import { logEvents, waitForEvents } from '../lab/guest/device-log.js';
import type { Served } from '../lab/guest/dmremap.js';
import { errorCode } from '../lab/guest/error-code.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { ScsiDebug } from '../lab/guest/scsi-debug.js';
import { describeRemaps, formatSet, remapsOf } from '../lab/guest/set-metadata.js';
import { useDevice } from '../lab/guest/use-device.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'scsi-errors',
  about:
    'Every way in which a SCSI disk fails commands arrives with the errno of docs/error-policy.md, and what is done about it is what the table there says.',
  // With zero copy an I/O that failed is made once more, through memory: other numbers of failures would be needed.
  kernels: ['6.12'],
  processors: 1,
  timeoutSeconds: 300,
  steps: {
    async main(guest) {
      const disk = await ScsiDebug.create(guest, { sizeMiB: 8, parameters: ['lbpu=1', 'lbpws=1'] });
      const [spare] = await ramDisks(guest, 1, 2);
      // So that one failed command is one failed I/O.
      guest.write(join('/sys/class/scsi_disk', disk.address, 'max_retries'), '0');
      const further = ['--on-gone', 'fail'];
      const set = { main: disk.path, spares: [spare!], frontend: 'ublk', further } as const;
      await formatSet(set);
      const expectedRemaps: string[] = [];
      const events = await useDevice(guest, set, async (file, served) => {
        const test = new ErrorTest(guest, disk, file, served, expectedRemaps);
        await file.writeAll(0, DATA_SECTORS, 1);
        for (const row of ROWS) await test.raw(row);
        for (const row of ROWS) await test.read(row);
        for (const row of ROWS) await test.write(row);
        await test.deadDisk();
        await test.lostCommand();
        await test.unsupported();
        await test.checkAll();
      });
      guest.say(events.map(({ event }) => event).join(' '));
      expectEqual(describeRemaps(await remapsOf([spare!])), expectedRemaps, 'the remaps');
    },
  },
});

/** What docs/error-policy.md makes of an error. */
type Kind = 'media' | 'mediaOrDevice' | 'device' | 'space';

interface Row {
  readonly name: string;
  /** Host byte, driver byte, status, sense key, code, qualifier; a key of 0 would be success to the kernel. */
  readonly result: readonly [number, number, number, number, number, number];
  readonly errno: string;
  readonly read: Kind;
  readonly write: Kind;
}

const media = { read: 'media', write: 'media' } as const;
const mediaOrDevice = { read: 'mediaOrDevice', write: 'mediaOrDevice' } as const;
const device = { read: 'device', write: 'device' } as const;

const ROWS: readonly Row[] = [
  { name: 'unrecovered read error', result: [0, 0, 2, 3, 0x11, 0], errno: 'ENODATA', ...media },
  { name: 'protection information', result: [0, 0, 2, 0xb, 0x10, 1], errno: 'EILSEQ', ...media },
  { name: 'hardware error', result: [0, 0, 2, 4, 0x44, 0], errno: 'EREMOTEIO', ...mediaOrDevice },
  { name: 'illegal address', result: [0, 0, 2, 5, 0x21, 0], errno: 'EREMOTEIO', ...mediaOrDevice },
  { name: 'peripheral fault', result: [0, 0, 2, 3, 3, 0], errno: 'EIO', ...mediaOrDevice },
  { name: 'no connection', result: [1, 0, 0, 0xb, 0, 0], errno: 'EIO', ...mediaOrDevice },
  { name: 'transport lost', result: [0xf, 0, 0, 0xb, 0, 0], errno: 'ENOLINK', ...device },
  { name: 'reservation conflict', result: [0, 0, 0x18, 0xb, 0, 0], errno: 'EBADE', ...device },
  { name: 'thin pool full', result: [0, 0, 2, 7, 0x27, 7], errno: 'ENOSPC', read: 'device', write: 'space' },
];

/** Every I/O of it is one unit, each at a place of its own. */
class ErrorTest {
  private readonly guest: Guest;
  private readonly disk: ScsiDebug;
  private readonly file: PatternFile;
  private readonly served: Served;
  private readonly remaps: string[];
  private readonly written = new Set<number>();
  private nextUnit = 10;
  private breakerTrips = 0;
  private transientErrors = 0;

  constructor(guest: Guest, disk: ScsiDebug, file: PatternFile, served: Served, remaps: string[]) {
    this.guest = guest;
    this.disk = disk;
    this.file = file;
    this.served = served;
    this.remaps = remaps;
  }

  /** What the kernel makes of it, without dm-remap. */
  async raw(row: Row): Promise<void> {
    const raw = await PatternFile.open(this.disk.path);
    this.fail(READ, ALWAYS, row.result);
    expectEqual(await raw.readError(0, 8), row.errno, `the disk, reading: ${row.name}`);
    this.pass(READ);
    this.fail(WRITE, ALWAYS, row.result);
    expectEqual(await errorCode(raw.write(0, 8, 1)), row.errno, `the disk, writing: ${row.name}`);
    this.pass(WRITE);
    await raw.close();
  }

  /** The first try and the second fail, all others would succeed. */
  async read({ name, result, read: kind }: Row): Promise<void> {
    const lba = this.freshPlace();
    this.fail(READ, -2, result);
    const code = await this.file.readError(lba, 8);
    expectEqual(code, kind === 'device' ? 'EIO' : null, `reading: ${name}`);
    if (kind === 'media') this.remaps.push(`${lba}: recoveredRead`);
    if (kind === 'mediaOrDevice') this.transientErrors += 1;
    if (kind === 'device') await this.comeBack();
    await this.file.expect(lba, 8, 1);
  }

  /** A medium error has one retry more than the others before anything is concluded: it fails three times. */
  async write({ name, result, write: kind }: Row): Promise<void> {
    const lba = this.freshPlace();
    this.fail(WRITE, kind === 'media' ? -3 : -2, result);
    const code = await errorCode(this.file.write(lba, 8, 2));
    expectEqual(
      code,
      { media: null, mediaOrDevice: null, device: 'EIO', space: 'ENOSPC' }[kind],
      `writing: ${name}`,
    );
    if (code === null) this.written.add(lba);
    if (kind === 'media') this.remaps.push(`${lba}: writeError`);
    if (kind === 'device') await this.comeBack();
    await this.file.expect(lba, 8, code === null ? 2 : 1);
  }

  /** Everything fails in a way that could be a sector's: the disk has to prove that it is alive, and can't. */
  async deadDisk(): Promise<void> {
    const [reading, writing] = [this.freshPlace(), this.freshPlace()];
    for (const opcode of [READ, WRITE]) this.fail(opcode, ALWAYS, HARDWARE_ERROR);
    expectEqual(await this.file.readError(reading, 8), 'EIO', 'reading from a dead disk');
    expectEqual(await errorCode(this.file.write(writing, 8, 2)), 'EIO', 'writing to a dead disk');
    for (const opcode of [READ, WRITE]) this.pass(opcode);
    await this.comeBack();
  }

  /** The disk never answers one command: the driver gives up on it. */
  async lostCommand(): Promise<void> {
    this.guest.write(join('/sys/bus/scsi/devices', this.disk.address, 'timeout'), '1');
    const raw = await PatternFile.open(this.disk.path);
    this.disk.errorRule(`0 -1 0x${READ.toString(16)}`);
    expectEqual(await raw.readError(0, 8), 'EIO', 'the disk, a read without an answer');
    await raw.close();
    this.disk.errorRule(`0 -1 0x${READ.toString(16)}`);
    await this.file.expect(this.freshPlace(), 8, 1);
    this.disk.errorRule(`0 -1 0x${WRITE.toString(16)}`);
    const lba = this.freshPlace();
    await this.file.write(lba, 8, 2);
    this.written.add(lba);
    this.guest.write(join('/sys/bus/scsi/devices', this.disk.address, 'timeout'), '30');
  }

  /** A disk that says it can and then refuses: discards are hints, zeroes are written. */
  async unsupported(): Promise<void> {
    for (const opcode of [UNMAP, WRITE_SAME]) this.fail(opcode, ALWAYS, INVALID_COMMAND);
    const place = ['-o', String(8_000 * 512), '-l', String(64 * 512), this.served.path];
    await this.guest.run(['blkdiscard', ...place]);
    await this.guest.run(['blkdiscard', '-z', ...place]);
    const contents = await this.file.read(8_000, 64);
    expect(
      contents.every(({ kind }) => kind === 'zeroes'),
      'zeroes after write-zeroes',
    );
  }

  async checkAll(): Promise<void> {
    await this.file.flush();
    await this.file.expect(0, 8_000, (lba) => (this.written.has(lba - (lba % 8)) ? 2 : 1));
    const count = (event: string): number => logEvents(this.served.program, event).length;
    expectEqual(count('breakerOpened'), this.breakerTrips, 'how often the breaker opened');
    expectEqual(count('transientError'), this.transientErrors, 'transient errors');
    expectEqual(count('lost'), 0, 'losses');
  }

  /** The breaker is open; it closes when the disk answers again. */
  private async comeBack(): Promise<void> {
    this.breakerTrips += 1;
    for (const event of ['breakerOpened', 'breakerClosed'])
      await waitForEvents(this.served.program, event, this.breakerTrips);
  }

  private freshPlace(): number {
    this.nextUnit += 3;
    return this.nextUnit * 8;
  }

  /** `count`: negative: so many times. */
  private fail(opcode: number, count: number, result: Row['result']): void {
    const bytes = [opcode, ...result].map((byte) => `0x${byte.toString(16)}`);
    this.disk.errorRule(`2 ${count} ${bytes.join(' ')}`);
  }

  private pass(opcode: number): void {
    this.disk.passCommands(opcode);
  }
}

const DATA_SECTORS = 10_000;
const ALWAYS = 1;
const READ = 0x28;
const WRITE = 0x2a;
const UNMAP = 0x42;
/** WRITE SAME(16). */
const WRITE_SAME = 0x93;
const HARDWARE_ERROR = [0, 0, 2, 4, 0x44, 0] as const;
const INVALID_COMMAND = [0, 0, 2, 5, 0x20, 0] as const;
