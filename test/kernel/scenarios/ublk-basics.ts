import { readFileSync } from 'node:fs';
import { ramDisks } from '../lab/guest/brd.js';
import { MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { dmremap, serve } from '../lab/guest/dmremap.js';
import { expectEqual } from '../lab/guest/expect.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'ublk-basics',
  about: 'A ublk device serves over bad sectors, survives kill -9, is handed over, and goes away cleanly.',
  kernels: ['6.12', '6.18'],
  steps: {
    async main(guest) {
      const [ram, spare] = await ramDisks(guest, 2, 32);
      const main = await MappedDevice.create(guest, 'main', tableWithBadSectors(ram!, [100, 101, 300]));
      await dmremap(guest, ['format', '--main', main.path, '--spare', spare!, '--yes']);
      const options = { main: main.path, spares: [spare!], frontend: 'ublk' } as const;
      const first = await serve(guest, options);
      guest.say(`served at ${first.path}: ${limits(first.path)}`);
      const file = await PatternFile.open(first.path);
      await file.writeAll(0, 1024, 1);
      await file.flush();
      await file.expect(0, 1024, 1);
      await first.crash();
      guest.say('killed; writing meanwhile');
      const waiting = file.writeAll(50, 200, 2);
      const second = await serve(guest, options);
      await waiting;
      expectEqual(second.path, first.path, 'the device after recovery');
      await file.expect(0, 1024, (lba) => (lba >= 50 && lba < 250 ? 2 : 1));
      const going = file.writeAll(0, 1024, 3);
      const third = await serve(guest, { ...options, further: ['--take-over'] });
      await going;
      await second.handedOver();
      await file.expect(0, 1024, 3);
      await file.close();
      await third.stop();
      guest.say(third.program.stderr);
    },
  },
});

function limits(path: string): string {
  const queue = `/sys/block/${path.replace('/dev/', '')}/queue`;
  const names = [
    'logical_block_size',
    'physical_block_size',
    'write_cache',
    'discard_max_bytes',
    'max_sectors_kb',
  ];
  return names.map((name) => `${name} ${readFileSync(`${queue}/${name}`, 'utf8').trim()}`).join(', ');
}
