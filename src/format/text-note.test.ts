import { describe, expect, it } from 'vitest';
import { TEXT_NOTE_BYTES } from './layout.js';
import { exampleSuperblock } from './testing/example-set.js';
import { encodeNote, judgeNote } from './text-note.js';

function note(superblock = exampleSuperblock(), copyIndex = 1): Uint8Array {
  const bytes = new Uint8Array(TEXT_NOTE_BYTES);
  encodeNote(bytes, superblock, copyIndex);
  return bytes;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll('\0', '');
}

describe('the text note', () => {
  it('says what the device is, which disk it belongs to, and how to read it', () => {
    const text = textOf(note());
    for (const part of [
      'SPARE of dm-remap',
      '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0',
      'Example Disk 1G',
      'EX-0001',
      '5a5a5a5a-0000-4000-8000-000000000001   <- this device',
      'dmsetup create',
      'docs/on-disk-format.md',
    ])
      expect(text).toContain(part);
    expect(text.split('\n').every((line) => line.length <= 90)).toBe(true);
  });

  it('stays as it is while the set is used', () => {
    const later = { ...exampleSuperblock(), sequence: 900, generation: 8, updatedSeconds: 1, counters: [7] };
    expect(judgeNote(note(), later, 1)).toBe('current');
  });

  it('fits with the longest names and the most spares and copies, and no name adds a line', () => {
    const long = '\u{1f4be}\n'.repeat(12);
    const example = exampleSuperblock();
    const spares = Array.from({ length: 8 }, () => ({ ...example.spares[0]!, sizeBytes: 2 ** 52 }));
    const copies = Array.from({ length: 8 }, () => ({ ...example.copies[0]!, offsetBytes: 2 ** 52 }));
    const set = { ...example, spares, copies };
    const named = { ...set, name: long, mainModel: long, mainSerial: long, mainWwn: long };
    const lines = textOf(note(named)).split('\n').length;
    expect(lines).toBe(textOf(note({ ...set, name: 'x' })).split('\n').length);
  });

  it('is told from zeroes and from anything else', () => {
    expect(judgeNote(new Uint8Array(TEXT_NOTE_BYTES), exampleSuperblock(), 1)).toBe('blank');
    for (const at of [0, 17, 4096, TEXT_NOTE_BYTES - 1]) {
      const damaged = note();
      damaged[at]! ^= 0x20;
      expect(judgeNote(damaged, exampleSuperblock(), 1)).toBe('different');
    }
    expect(judgeNote(note(exampleSuperblock(), 0), exampleSuperblock(), 1)).toBe('different');
  });
});
