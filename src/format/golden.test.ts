import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../base/crc32.js';
import { sealPage, writeDescriptor } from './descriptor-page.js';
import { hexDump } from './hex-dump.js';
import { descriptorOffsetBytes, METADATA_PAGE_BYTES } from './layout.js';
import { viewOf } from './sealed-block.js';
import { featuresForMain } from './superblock.js';
import { encodeSuperblock } from './superblock-codec.js';
import { COPY, HEAD, SPARE } from './superblock-fields.js';
import { EXAMPLE_DESCRIPTORS, exampleSuperblock } from './testing/example-set.js';

/**
 * Format version 1, byte for byte. When this test fails, disks in use can't be read any more: the code is wrong, or
 * a new format version is due. `UPDATE_DOCS=1 npx vitest run src/format/golden.test.ts` writes the dumps into the
 * document; the checksums here are changed by hand, on purpose.
 */
const DOCUMENT = new URL('../../docs/on-disk-format.md', import.meta.url);

function superblockImage(): Uint8Array {
  const block = new Uint8Array(METADATA_PAGE_BYTES);
  encodeSuperblock(block, exampleSuperblock(), 3);
  return block;
}

function pageImage(): Uint8Array {
  const page = new Uint8Array(METADATA_PAGE_BYTES);
  for (const [unit, descriptor] of EXAMPLE_DESCRIPTORS) {
    writeDescriptor(viewOf(page), descriptorOffsetBytes(unit), descriptor);
  }
  sealPage(page, { setId: exampleSuperblock().setId, copyIndex: 3, slot: 1, pageIndex: 0 }, 9, 3);
  return page;
}

const IMAGES = [
  { name: 'superblock', image: superblockImage(), imageCrc: 4131877896 },
  { name: 'descriptor page', image: pageImage(), imageCrc: 695653017 },
];

describe('format version 1', () => {
  for (const { name, image, imageCrc } of IMAGES) {
    it(`has this ${name}, byte for byte`, () => {
      expect(crc32(image)).toBe(imageCrc);
    });

    it(`has the ${name} that is printed in the document`, () => {
      const fence = new RegExp(`(<!-- dump: ${name} -->\n\`\`\`text\n)([^\`]*)(\n\`\`\`)`);
      const document = readFileSync(DOCUMENT, 'utf8');
      const current = hexDump(image);
      if (process.env.UPDATE_DOCS === '1') {
        writeFileSync(
          DOCUMENT,
          document.replace(fence, (_, before, __, after) => `${before}${current}${after}`),
        );
      }
      expect(fence.exec(readFileSync(DOCUMENT, 'utf8'))?.[2]).toBe(current);
    });
  }
});

it('says at these bytes that the main device is larger than the set and has smaller blocks', () => {
  const sizes = { mainDeviceBytes: 0x1_2345_6000, mainDeviceBlockBytes: 512 };
  const features = featuresForMain(exampleSuperblock().features, sizes);
  const large = { ...exampleSuperblock(), logicalBlockBytes: 4096 };
  const [before, block] = [new Uint8Array(METADATA_PAGE_BYTES), new Uint8Array(METADATA_PAGE_BYTES)];
  encodeSuperblock(before, large, 3);
  encodeSuperblock(block, { ...large, ...sizes, features }, 3);
  const changed = [...block.keys()].filter((at) => at >= 12 && block[at] !== before[at]);
  expect(changed.map((at) => [at, block[at]])).toEqual([
    ...[[16, 1]],
    ...[
      [121, 0x60],
      [122, 0x45],
      [123, 0x23],
      [124, 1],
    ],
    [129, 2],
  ]);
});

describe('the tables of the document', () => {
  it('have every field at its place', () => {
    const document = readFileSync(DOCUMENT, 'utf8');
    for (const fields of [HEAD, SPARE, COPY]) {
      for (const [name, { offset, sizeBytes }] of Object.entries(fields)) {
        expect(document).toContain(`| ${offset} | ${sizeBytes} | \`${name}\` |`);
      }
    }
  });
});

describe('a hex dump', () => {
  it('leaves out rows of zeroes and marks what can not be printed', () => {
    const bytes = new Uint8Array(40);
    bytes.set([0x41, 0x7f], 16);
    bytes[39] = 0x42;
    expect(hexDump(bytes).split('\n')).toEqual([
      `0010  41 7f${' 00'.repeat(14)}  |A...............|`,
      `0020  00 00 00 00 00 00 00 42${' '.repeat(24)}  |.......B|`,
    ]);
  });
});
