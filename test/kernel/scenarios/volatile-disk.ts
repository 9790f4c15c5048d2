import { readFileSync } from 'node:fs';
import { diskPath } from '../lab/guest/disks.js';
import { expectEqual } from '../lab/guest/expect.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'volatile-disk',
  about: "The laboratory's own power cut: what was flushed is there afterwards, of the rest only a part.",
  kernels: ['6.12'],
  disks: { main: { sizeMiB: 16, isVolatile: true } },
  async host(lab) {
    const before = await lab.boot();
    await before.run('write');
    await before.cutPower();
    expectEqual(lab.records.at(-1), String(FLUSHED), 'what was recorded last');
    const after = await lab.boot();
    const survivors = (await after.run('verify')) as number;
    lab.say(`${survivors} of ${UNFLUSHED} sectors that were not flushed survived`);
    if (survivors === 0 || survivors === UNFLUSHED) throw new Error(`${survivors} of ${UNFLUSHED} survived`);
    await after.powerOff();
  },
  steps: {
    async write(guest) {
      const cache = readFileSync(
        `${diskPath('main').replace('/dev', '/sys/block')}/queue/write_cache`,
        'utf8',
      );
      expectEqual(cache.trim(), 'write back', 'the cache that the guest sees');
      const file = await PatternFile.open(diskPath('main'));
      for (let sector = 0; sector < UNFLUSHED; sector += 8) await file.write(sector, 8, 1);
      for (let count = 1; count <= FLUSHED; count++) {
        await file.write(FLUSHED_START + count, 1, 1);
        await file.flush();
        await guest.record(String(count));
      }
      for (let sector = 0; sector < UNFLUSHED; sector += 8) await file.write(sector, 8, 2);
      await file.close();
    },
    async verify() {
      const file = await PatternFile.open(diskPath('main'));
      await file.expect(FLUSHED_START + 1, FLUSHED, 1);
      const contents = await file.read(0, UNFLUSHED);
      await file.close();
      return contents.filter((sector) => sector.kind === 'pattern' && sector.generation === 2).length;
    },
  },
});

const UNFLUSHED = 512;
const FLUSHED = 20;
const FLUSHED_START = 4096;
