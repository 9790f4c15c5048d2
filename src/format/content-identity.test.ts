import { describe, expect, it } from 'vitest';
import { CONTENT_IDENTITY_BYTES, contentIdentity } from './content-identity.js';

/** What is written where, in a disk's first bytes. */
function diskWith(pieces: Readonly<Record<number, string>>): Uint8Array {
  const disk = new Uint8Array(CONTENT_IDENTITY_BYTES);
  for (const [at, text] of Object.entries(pieces)) disk.set(Buffer.from(text, 'latin1'), Number(at));
  return disk;
}

function identityOf(disk: Uint8Array): string | null {
  return contentIdentity((at, length) =>
    at + length <= disk.length ? disk.subarray(at, at + length) : undefined,
  );
}

const ID = 'ABCDEFGHIJKLMNOP';
const HEX = Buffer.from(ID).toString('hex');

describe('the identity of contents', () => {
  it.each([
    ['ext', { 1080: '\x53\xef', 1128: ID }],
    ['xfs', { 0: 'XFSB', 32: ID }],
    ['btrfs', { 65600: '_BHRfS_M', 65568: ID }],
    ['GPT', { 512: 'EFI PART', 568: ID }],
    ['GPT', { 4096: 'EFI PART', 4152: ID }],
  ])('is the UUID of %s', (name, pieces) => {
    expect(identityOf(diskWith(pieces))).toBe(`${name} ${HEX}`);
  });

  it('is that of LUKS and LVM in full, and the number of a DOS partition table', () => {
    const luks = '0f0e0d0c-0b0a-4900-8000-000102030405';
    expect(identityOf(diskWith({ 0: 'LUKS\xba\xbe', 168: luks }))).toContain(
      Buffer.from(luks).toString('hex'),
    );
    const volume = 'abcdefghijklmnopqrstuvwxyz012345';
    expect(identityOf(diskWith({ 512: 'LABELONE', 544: volume }))).toBe(
      `LVM ${Buffer.from(volume).toString('hex')}`,
    );
    expect(identityOf(diskWith({ 510: '\x55\xaa', 440: 'ABCD' }))).toBe('DOS partition table 41424344');
  });

  it('has all that are there: what is formatted anew beside one that stays is something else', () => {
    const both = { 512: 'EFI PART', 568: ID, 510: '\x55\xaa', 440: 'ABCD' };
    expect(identityOf(diskWith(both))).toBe(`GPT ${HEX}, DOS partition table 41424344`);
    expect(identityOf(diskWith({ ...both, 440: 'ABCE' }))).not.toBe(identityOf(diskWith(both)));
  });

  it('is unknown where nothing is, where a UUID is zero, and behind the end', () => {
    expect(identityOf(diskWith({}))).toBeNull();
    expect(identityOf(diskWith({ 0: 'XFSB' }))).toBeNull();
    expect(identityOf(diskWith({ 0: 'XFSB', 32: ID }).subarray(0, 40))).toBeNull();
  });
});
