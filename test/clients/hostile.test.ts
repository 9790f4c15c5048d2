import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import {
  CLIENT_FLAGS,
  Command,
  EMPTY_NAME,
  GREETING_BYTES,
  OPTION_GO,
  option,
  RawNbd,
  request,
} from '../support/raw-nbd.js';
import { lacksTools, runTool } from '../support/run-tool.js';
import { ServedDeviceProcess, TRANSPORTS } from '../support/served-device.js';
import { xorshift } from '../support/xorshift.js';

const MIB = 1 << 20;
const SEED = Number(process.env.DMREMAP_TEST_SEED ?? 20260);

describe.skipIf(lacksTools('nbdinfo', 'nbdcopy')).each(TRANSPORTS)('hostile clients over %s', (transport) => {
  let images: DiskImages;
  let served: ServedDeviceProcess;
  /** An honest client that must not notice anything. */
  let neighbour: RawNbd;
  let cookie = 0;

  beforeAll(async () => {
    images = await DiskImages.create({ mainBytes: 64 * MIB, spareBytes: 16 * MIB });
    served = await ServedDeviceProcess.start(images);
    neighbour = await RawNbd.transmitting(served.uris[transport]);
  });

  afterEach(async () => {
    expect(served.isRunning, served.log).toBe(true);
    expect((await runTool('nbdinfo', ['--size', served.uris[transport]])).trim()).toBe(String(64 * MIB));
    cookie += 1;
    neighbour.socket.write(request({ type: Command.read, cookie, offset: 32 * MIB, length: 4096 }));
    expect(await neighbour.takeReply(cookie)).toBe(0);
    expect((await neighbour.take(4096)).every((byte) => byte === 0)).toBe(true);
  });

  afterAll(async () => {
    neighbour.destroy();
    await served.stop();
    images.remove();
  });

  /** Connects, reads the greeting, sends bytes, and leaves when the server hangs up or after a moment. */
  const sendInHandshake = async (bytes: Buffer) => {
    const client = await RawNbd.connect(served.uris[transport]);
    await client.take(GREETING_BYTES);
    client.socket.write(bytes);
    await Promise.race([client.untilClosed(), pause(100)]);
    client.destroy();
  };

  const sendInTransmission = async (bytes: Buffer) => {
    const client = await RawNbd.transmitting(served.uris[transport]);
    client.socket.write(bytes);
    await Promise.race([client.untilClosed(), pause(100)]);
    client.destroy();
  };

  it(`may send random bytes at any stage (seed ${SEED})`, async () => {
    const next = xorshift(SEED);
    const noise = (lengthBytes: number) =>
      Buffer.from(Array.from({ length: lengthBytes }, () => next() & 255));
    for (let round = 0; round < 10; round += 1) {
      await sendInHandshake(noise(1 + (next() % 2000)));
      await sendInHandshake(Buffer.concat([CLIENT_FLAGS, noise(1 + (next() % 2000))]));
      await sendInHandshake(Buffer.concat([CLIENT_FLAGS, option(next() % 12, noise(next() % 300))]));
      await sendInTransmission(noise(1 + (next() % 2000)));
    }
  });

  it('may announce huge options, send none, or far too many', async () => {
    await sendInHandshake(Buffer.concat([CLIENT_FLAGS, option(OPTION_GO, EMPTY_NAME, 0xffff_ffff)]));
    await sendInHandshake(Buffer.concat([CLIENT_FLAGS, option(99, Buffer.alloc(2 * MIB))]));
    await sendInHandshake(
      Buffer.concat([CLIENT_FLAGS, ...Array.from({ length: 5000 }, () => option(99, EMPTY_NAME))]),
    );
    await sendInHandshake(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  });

  it('may leave at any byte of the handshake', async () => {
    const whole = Buffer.concat([CLIENT_FLAGS, option(OPTION_GO, EMPTY_NAME)]);
    for (let cut = 0; cut < whole.length; cut += 1) {
      const client = await RawNbd.connect(served.uris[transport]);
      client.socket.end(whole.subarray(0, cut));
      await client.untilClosed();
      client.destroy();
    }
  });

  it('may cut a payload: bytes that were never sent are never written', async () => {
    const client = await RawNbd.transmitting(served.uris[transport]);
    const header = request({ type: Command.write, offset: 0, length: 8 * MIB });
    client.socket.write(Buffer.concat([header, Buffer.alloc(100_000, 0xaa)]));
    await pause(50);
    client.destroy();
    const reader = await RawNbd.transmitting(served.uris[transport]);
    reader.socket.write(request({ type: Command.read, offset: 100_352, length: 8 * MIB - 100_352 }));
    expect(await reader.takeReply(0)).toBe(0);
    expect((await reader.take(8 * MIB - 100_352)).every((byte) => byte === 0)).toBe(true);
    reader.destroy();
  });

  it('may ask for what does not exist and get an error for it', async () => {
    const client = await RawNbd.transmitting(served.uris[transport]);
    const wrong = [
      request({ type: Command.read, cookie: 1, offset: 64 * MIB, length: 4096 }),
      request({ type: Command.read, cookie: 2, offset: 2n ** 64n - 512n, length: 1024 }),
      request({ type: Command.trim, cookie: 3, offset: 2n ** 63n, length: 0xffff_fe00 }),
      request({ type: Command.writeZeroes, cookie: 4, offset: 64 * MIB - 512, length: 1024 }),
      request({ type: 77, cookie: 5 }),
      request({ type: Command.read, cookie: 6, flags: 0xffff, length: 512 }),
      request({ type: Command.blockStatus, cookie: 7, length: 512 }),
      request({ type: Command.read, cookie: 8, offset: 1, length: 511 }),
    ];
    client.socket.write(Buffer.concat(wrong));
    const answered = new Map<number, number>();
    while (answered.size < wrong.length) {
      const reply = await client.take(16);
      answered.set(Number(reply.readBigUInt64BE(8)), reply.readUInt32BE(4));
    }
    expect([...answered.values()].every((error) => error !== 0)).toBe(true);
    client.destroy();
  });

  it('may send a bad magic or an enormous payload', async () => {
    await sendInTransmission(request({ type: Command.read, magic: 0x1234_5678, length: 512 }));
    await sendInTransmission(request({ type: Command.write, length: 0xffff_ffff }));
    await sendInTransmission(
      Buffer.concat([request({ type: Command.write, length: 40 * MIB }), Buffer.alloc(40 * MIB)]),
    );
  });

  it('may ask for gigabytes and never take the answers', async () => {
    const clients = await Promise.all(
      Array.from({ length: 8 }, () => RawNbd.transmitting(served.uris[transport])),
    );
    for (const client of clients) {
      client.socket.pause();
      const reads = Array.from({ length: 1000 }, (_, index) =>
        request({ type: Command.read, cookie: index, offset: 0, length: 32 * MIB }),
      );
      client.socket.write(Buffer.concat(reads));
    }
    await pause(300);
    expect((await runTool('nbdinfo', ['--size', served.uris[transport]])).trim()).toBe(String(64 * MIB));
    for (const client of clients) client.destroy();
  });

  it('may disconnect with writes outstanding', async () => {
    for (let round = 0; round < 20; round += 1) {
      const client = await RawNbd.transmitting(served.uris[transport]);
      const write = Buffer.concat([
        request({ type: Command.write, offset: 16 * MIB, length: 65536 }),
        Buffer.alloc(65536),
      ]);
      client.socket.write(Buffer.concat([write, write, write, request({ type: Command.disconnect })]));
      if (round % 2 === 0) await pause(round / 2);
      client.destroy();
    }
  });

  it('may be killed in the middle of a copy', async () => {
    for (let round = 0; round < 4; round += 1) {
      const copy = spawn('nbdcopy', [served.uris[transport], 'null:'], { stdio: 'ignore' });
      const exited = once(copy, 'exit');
      await pause(5 + 10 * round);
      copy.kill('SIGKILL');
      await exited;
    }
  });
});
