import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NbdClient } from '../../src/demo/nbd-client.js';
import { DiskImages } from '../support/disk-images.js';
import { dmremapProgram } from '../support/dmremap-program.js';

/** Loaded by every thread of the program: the device thread fails, as by a bug, at the moment it reports a remap. */
const CRASH_AT_REMAP = `
const { parentPort } = require('node:worker_threads');
if (parentPort !== null) {
  const post = parentPort.postMessage.bind(parentPort);
  parentPort.postMessage = (message, transfer) => {
    if (message.kind === 'notice' && message.notice.event === 'remapped') throw new Error('planted bug');
    post(message, transfer);
  };
}
`;

let images: DiskImages;

beforeEach(async () => {
  images = await DiskImages.create({ mainBytes: 8 << 20, spareBytes: 2 << 20 });
});

afterEach(() => images.remove());

describe('dmremap run', () => {
  it('ends with 70 when the thread of the device crashes', async () => {
    writeFileSync(images.path('crash.cjs'), CRASH_AT_REMAP);
    writeFileSync(
      images.path('faults.yaml'),
      'main:\n  - { sectors: "8-15", on: [write], error: ENODATA }\n',
    );
    const socketPath = images.path('nbd.sock');
    const args = ['--main', images.mainPath, '--spare', images.sparePath];
    const faults = ['--faults', images.path('faults.yaml'), '--nbd', `nbd+unix:///?socket=${socketPath}`];
    const child = spawn(
      process.execPath,
      ['--require', images.path('crash.cjs'), dmremapProgram(), 'run', ...args, ...faults],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    try {
      const exited = once(child, 'exit');
      const lines = createInterface({ input: child.stdout });
      await Promise.race([once(lines, 'line'), exited]);
      const log = createInterface({ input: child.stderr });
      const text: string[] = [];
      log.on('line', (line) => text.push(line));
      const client = await NbdClient.connect({ address: { path: socketPath } });
      await expect(client.write(4096, new Uint8Array(4096).fill(1))).rejects.toThrow();
      expect(await exited).toEqual([70, null]);
      expect(text.join('\n')).toContain('planted bug');
    } finally {
      child.kill('SIGKILL');
    }
  });
});
