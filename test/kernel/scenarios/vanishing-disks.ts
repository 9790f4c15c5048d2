import { waitForEvents } from '../lab/guest/device-log.js';
import type { Served } from '../lab/guest/dmremap.js';
import { serve } from '../lab/guest/dmremap.js';
import { errorCode } from '../lab/guest/error-code.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { ScsiDebug } from '../lab/guest/scsi-debug.js';
import { ScsiDisk, setCacheType } from '../lab/guest/scsi-disk.js';
import { describeRemaps, formatSet, remapsOf } from '../lab/guest/set-metadata.js';
import { until } from '../lab/guest/until.js';
import { VerifyingLoad } from '../lab/guest/verifying-load.js';
import { type Frontend, scenario } from '../lab/scenario.js';

export default scenario({
  name: 'vanishing-disks',
  about:
    'SCSI disks are unplugged under load and come back under other names: requests wait or fail as configured, no spare unit is used, nothing is lost; what a write cache may have lost is told at the next flush.',
  kernels: ['6.12', '6.18'],
  notInSuite: 'takes 4 minutes; the suite shall end in 30',
  frontends: ['ublk', 'nbd'],
  disks: { spare: { sizeMiB: 4, bus: 'scsi' } },
  timeoutSeconds: 400,
  steps: {
    async main(guest, { frontend }: { frontend: Frontend }) {
      const test = await VanishingTest.start(guest, frontend);
      await test.waitsForBoth();
      await test.failsAtOnce();
      await test.tellsOfLostCache();
    },
  },
});

/** Eight units of the main device live on the spare, so that a load over them needs both. */
class VanishingTest {
  private readonly guest: Guest;
  private readonly frontend: Frontend;
  private main: ScsiDebug;
  private readonly spare: ScsiDisk;
  private cache: Cache = 'write through';

  static async start(guest: Guest, frontend: Frontend): Promise<VanishingTest> {
    const main = await ScsiDebug.create(guest, { sizeMiB: 8 });
    const spare = new ScsiDisk(guest, 'spare');
    await formatSet({ main: main.path, spares: [spare.path] });
    return new VanishingTest(guest, frontend, main, spare);
  }

  private constructor(guest: Guest, frontend: Frontend, main: ScsiDebug, spare: ScsiDisk) {
    this.guest = guest;
    this.frontend = frontend;
    this.main = main;
    this.spare = spare;
  }

  /** No disk has a cache that is to be flushed: whoever uses the device sees nothing but slowness. */
  async waitsForBoth(): Promise<void> {
    const served = await this.serve('write through', 'hold:3000');
    await this.moveUnits(served);
    const region = { path: served.path, firstSector: 0, sectorCount: REGION_SECTORS };
    const load = await VerifyingLoad.start(region, 7);
    for (let round = 1; round <= 2; round += 1) {
      this.guest.say(`the main device vanishes, ${round}`);
      await this.whileUnplugged('main', served, async () => {
        await waitForEvents(served.program, 'breakerOpened', round);
        await this.expectStandstill(load);
      });
      await waitForEvents(served.program, 'reconnected', 2 * round - 1);
      await this.expectProgress(load);
      this.guest.say(`the spare vanishes, ${round}`);
      await this.whileUnplugged('spare', served, async () => {
        await waitForEvents(served.program, 'spareGone', round);
        await this.expectStandstill(load);
      });
      await waitForEvents(served.program, 'reconnected', 2 * round);
      await this.expectProgress(load);
    }
    await load.stop();
    await this.stopAndCheckRemaps(served);
  }

  async failsAtOnce(): Promise<void> {
    const served = await this.serve('write through', 'fail');
    const file = await PatternFile.open(served.path);
    await file.writeAll(0, REGION_SECTORS, 2);
    await this.whileUnplugged('main', served, async () => {
      expectEqual(await errorCode(file.write(100, 8, 3)), 'EIO', 'a write while the main device is gone');
      expectEqual(await file.readError(100, 8), 'EIO', 'a read while the main device is gone');
      await file.expect(MOVED_UNITS[0]!, 8, 2);
    });
    await waitForEvents(served.program, 'reconnected', 1);
    // The write that failed may have arrived or not.
    await file.expect(0, REGION_SECTORS, (lba) => (lba >= 100 && lba < 108 ? null : 2));
    await file.write(100, 8, 4);
    await file.close();
    await this.stopAndCheckRemaps(served);
  }

  /** What was not flushed may be gone with the disk's cache: the next flush says so, once. */
  async tellsOfLostCache(): Promise<void> {
    const served = await this.serve('write back', 'hold:3000');
    const file = await PatternFile.open(served.path);
    await file.writeAll(0, REGION_SECTORS, 5);
    await file.flush();
    await file.write(200, 8, 6);
    const waiting = await this.whileUnplugged('main', served, async () => {
      const written = file.write(300, 8, 6);
      await waitForEvents(served.program, 'breakerOpened', 1);
      return { written };
    });
    await waiting.written;
    expectEqual(await errorCode(file.flush()), 'EIO', 'the flush after the disk was away');
    expectEqual(await errorCode(file.flush()), null, 'the flush after that');
    await file.expect(0, 200, 5);
    await file.expect(300, 8, 6);
    await file.close();
    await this.stopAndCheckRemaps(served);
  }

  private async serve(cache: Cache, onGone: string): Promise<Served> {
    this.cache = cache;
    setCacheType(this.guest, this.main.path, cache);
    setCacheType(this.guest, this.spare.path, cache);
    return serve(this.guest, {
      main: this.main.path,
      spares: [this.spare.path],
      frontend: this.frontend,
      further: ['--on-gone', onGone],
    });
  }

  private async moveUnits(served: Served): Promise<void> {
    const file = await PatternFile.open(served.path);
    for (const sector of MOVED_UNITS) {
      this.main.failCommands(WRITE, 3, MEDIUM_ERROR);
      await file.write(sector, 8, 1);
    }
    await file.close();
  }

  private async whileUnplugged<Value>(
    which: 'main' | 'spare',
    served: Served,
    work: () => Promise<Value>,
  ): Promise<Value> {
    const disk = this[which];
    const before = disk.path;
    disk.unplug();
    const value = await work();
    if (which === 'main') this.main = await this.main.rescan();
    else await this.spare.rescan();
    // A disk that was unplugged has its cache on again, with which it is not taken back for one that had none.
    setCacheType(this.guest, this[which].path, this.cache);
    expect(this[which].path !== before, `${which} comes back under another name than ${before}`);
    expect(served.program.stderr.includes(before), 'the log names the disk');
    return value;
  }

  private async expectStandstill(load: VerifyingLoad): Promise<void> {
    const before = load.operationCount;
    await this.guest.sleep(1_000);
    expect(load.operationCount <= before + 1, 'the load waits');
  }

  private async expectProgress(load: VerifyingLoad): Promise<void> {
    const before = load.operationCount;
    await until('the load goes on', () => load.operationCount >= before + 50, 60);
  }

  private async stopAndCheckRemaps(served: Served): Promise<void> {
    await served.stop();
    const wanted = MOVED_UNITS.map((sector) => `${sector}: writeError`);
    expectEqual(describeRemaps(await remapsOf([this.spare.path])), wanted, 'the remaps');
  }
}

type Cache = 'write through' | 'write back';

const REGION_SECTORS = 8_000;
const MOVED_UNITS = [800, 1600, 2400, 3200, 4000, 4800, 5600, 6400];
const WRITE = 0x2a;
const MEDIUM_ERROR = { key: 3, asc: 0x11, ascq: 0 };
