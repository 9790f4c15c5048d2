import { describe, expect, it } from 'vitest';
import {
  type ExampleRemap,
  sampleImage,
  writeExampleData,
  writeV3Record,
  writeV4Copies,
} from './testing/module-image.js';

describe('the writer of module images', () => {
  it('makes the sample of version 4, byte for byte', () => {
    const base = 1_761_609_600n * 1_000_000_000n;
    const remaps: ExampleRemap[] = [
      { main: 1000, spare: 5000, flags: 1, timeNanoseconds: base },
      { main: 2048, spare: 5001, flags: 2, timeNanoseconds: base + 1n },
      { main: 77777, spare: 5002, flags: 1, timeNanoseconds: base + 2n },
    ];
    const image = new Uint8Array(4 << 20);
    writeV4Copies(image, { sequence: 4, mainSectors: 204800, spareSectors: 8192, remaps, padding: 0xaa });
    writeExampleData(image, remaps);
    expect(Buffer.compare(image, sampleImage('v4'))).toBe(0);
  });

  it('makes the sample of version 3, byte for byte', () => {
    const remaps = [
      { main: 12345, spare: 64 },
      { main: 777, spare: 65 },
    ];
    const image = new Uint8Array(128 << 10);
    writeV3Record(image, { mainSectors: 204800, spareSectors: 256, remaps, checksum: 0xfbff0d35 });
    writeExampleData(image, remaps);
    expect(Buffer.compare(image, sampleImage('v3'))).toBe(0);
  });
});
