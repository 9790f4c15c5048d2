import { rmSync } from 'node:fs';
import { ramDisks } from '../lab/guest/brd.js';
import { MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { dmremap } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { expectNoUblkDevice } from '../lab/guest/ublk-left-overs.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'module-face',
  about:
    'As a script for the kernel module does: a set is created from a table, used over bad sectors, asked by messages, suspended, removed, and created again with its remaps.',
  kernels: ['6.12'],
  steps: {
    async main(guest) {
      const [ram, spare] = await ramDisks(guest, 2, 32);
      const main = await MappedDevice.create(guest, 'main', tableWithBadSectors(ram!, [100, 101, 300]));
      const table = `0 65536 dm-remap-v4 ${main.path} ${spare}`;
      await guest.modprobe('ublk_drv');
      const path = await create(guest, table);
      const file = await PatternFile.open(path);
      await file.writeAll(0, 1024, 1);
      await file.flush();
      expectEqual(await message(guest, 'ping'), 'pong', 'ping');
      expect((await message(guest, 'status')).startsWith('mappings=2 '), 'two units are moved');
      const place = await message(guest, 'verify 300');
      expect(/^sector 300 -> spare \d+$/.test(place), place);
      const { stdout: line } = await dmremap(guest, ['status', 'attic', '--format', 'v4']);
      expectEqual(line.trim().split(/\s+/).length, 31, `fields in: ${line}`);
      await dmremap(guest, ['suspend', 'attic']);
      const waiting = file.writeAll(0, 1024, 2);
      await dmremap(guest, ['resume', 'attic']);
      await waiting;
      await file.expect(0, 1024, 2);
      await file.close();
      await dmremap(guest, ['remove', 'attic']);
      expectOnlyItsLog();
      const again = await PatternFile.open(await create(guest, table));
      await again.expect(0, 1024, 2);
      await again.close();
      expect((await message(guest, 'status')).startsWith('mappings=2 '), 'two units are still moved');
      await dmremap(guest, ['remove', '--all']);
      expectOnlyItsLog();
    },
  },
});

/** Where it is served. */
async function create(guest: Guest, table: string): Promise<string> {
  const { stdout } = await dmremap(guest, ['create', 'attic', '--verbose', '--table', table]);
  const path = /\/dev\/ublkb\d+/.exec(stdout)?.[0];
  expect(path !== undefined, `a path in: ${stdout}`);
  return path!;
}

/** What the server said stays until the next boot. */
function expectOnlyItsLog(): void {
  rmSync('/run/dm-remap/attic.log');
  expectNoUblkDevice();
}

async function message(guest: Guest, text: string): Promise<string> {
  return (await dmremap(guest, ['message', 'attic', '0', text])).stdout.trim();
}
