import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareFingerprint, type Fingerprint, recordedFingerprint, samplePositions } from './fingerprint.js';
import { decodeSuperblock, encodeSuperblock } from './superblock-codec.js';
import { exampleSuperblock } from './testing/example-set.js';

const RECORDED: Fingerprint = {
  sizeBytes: 1 << 30,
  logicalBlockBytes: 512,
  model: 'Disk',
  serial: 'S1',
  wwn: '0x5000',
  contentSample: { validMask: 0x8000_0007, crcs: Array.from({ length: 32 }, (_, index) => index) },
};

function kindsOf(
  changes: Partial<Fingerprint>,
  cleanShutdown = true,
  recorded = RECORDED,
): readonly string[] {
  return compareFingerprint(recorded, { ...recorded, ...changes }, cleanShutdown).map(
    (mismatch) => mismatch.kind,
  );
}

function otherContent(index: number): Partial<Fingerprint> {
  const { validMask, crcs } = RECORDED.contentSample;
  return { contentSample: { validMask, crcs: crcs.with(index, 99) } };
}

describe('a fingerprint', () => {
  it('matches itself', () => {
    expect(kindsOf({})).toEqual([]);
  });

  it('names everything that differs', () => {
    const changes = { sizeBytes: 512, logicalBlockBytes: 4096, serial: 'S2', wwn: '0x5001', model: 'Other' };
    expect(kindsOf({ ...changes, ...otherContent(0) })).toEqual([
      'sizeBytes',
      'logicalBlockBytes',
      'serial',
      'wwn',
      'model',
      'content',
    ]);
  });

  it('compares texts only where both sides have them', () => {
    expect(kindsOf({ model: '', serial: '' })).toEqual([]);
    expect(kindsOf({ model: 'New', serial: 'New' }, true, { ...RECORDED, model: '', serial: '' })).toEqual(
      [],
    );
  });

  it('does not match a device that hides both serial number and WWN', () => {
    expect(kindsOf({ serial: '', wwn: '' })).toEqual(['unidentified']);
    expect(kindsOf({}, true, { ...RECORDED, serial: '', wwn: '' })).toEqual([]);
  });

  it('compares contents only after a clean stop, and only blocks that were readable both times', () => {
    expect(kindsOf(otherContent(31))).toEqual(['content']);
    expect(kindsOf(otherContent(31), false)).toEqual([]);
    expect(kindsOf(otherContent(3))).toEqual([]);
    const unreadableNow = { validMask: 0, crcs: [] };
    expect(kindsOf({ contentSample: unreadableNow })).toEqual([]);
  });

  it('counts the blocks that differ', () => {
    const [mismatch] = compareFingerprint(RECORDED, { ...RECORDED, ...otherContent(2) }, true);
    expect(mismatch).toEqual({ kind: 'content', differingCount: 1, comparedCount: 4 });
  });

  it('still matches when a text was too long to be stored whole', () => {
    const serial = 'é'.repeat(100);
    const block = new Uint8Array(4096);
    encodeSuperblock(block, { ...exampleSuperblock(), mainSerial: serial }, 0);
    const decoded = decodeSuperblock(block);
    const recorded = decoded.ok ? recordedFingerprint(decoded.value.superblock) : RECORDED;
    expect(compareFingerprint(recorded, { ...recorded, serial }, true)).toEqual([]);
  });
});

describe('sample positions', () => {
  it('are the first 8 blocks and 24 more, the last one at the end', () => {
    const positions = samplePositions(1 << 30);
    expect(positions.slice(0, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((block) => block * 4096));
    expect(positions).toHaveLength(32);
    expect(positions.at(-1)).toBe((1 << 30) - 4096);
    const gaps = positions
      .slice(8)
      .map((position, index) => position - (index === 0 ? 0 : positions[index + 7]!));
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(4096);
  });

  it('are whole blocks within the device, or none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (sizeBytes) => {
        for (const position of samplePositions(sizeBytes)) {
          expect(position === -1 || (position % 4096 === 0 && position + 4096 <= sizeBytes)).toBe(true);
        }
      }),
    );
    expect(samplePositions(4095)).toEqual(new Array(32).fill(-1));
    expect(samplePositions(4096)).toEqual([0, ...new Array(7).fill(-1), ...new Array(24).fill(0)]);
  });
});
