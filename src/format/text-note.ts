import { assert } from '../base/assert.js';
import { withoutControls } from '../base/without-controls.js';
import { type CopyLayout, TEXT_NOTE_BYTES } from './layout.js';
import { isAllZero } from './sealed-block.js';
import { formatUuid } from './set-id.js';
import type { Superblock } from './superblock.js';
import { NOTE_PROGRAM } from './text-note-program.js';

/**
 * The text at the start of every copy, for somebody who finds a spare and has nothing else: what this device is, which
 * disk it belongs to, and how its data is reached without dm-remap. It follows from what never changes in a set, and
 * nothing that is needed to use the set is in it. `into`: `TEXT_NOTE_BYTES`.
 */
export function encodeNote(into: Uint8Array, superblock: Superblock, copyIndex: number): void {
  assert(into.length === TEXT_NOTE_BYTES, `a note in ${into.length} bytes`);
  const text = new TextEncoder().encode(noteText(superblock, superblock.copies[copyIndex]!));
  assert(text.length < TEXT_NOTE_BYTES, `a note of ${text.length} bytes`);
  into.fill(0);
  into.set(text);
}

/** Judges what lies at the place of a note. */
export function judgeNote(found: Uint8Array, superblock: Superblock, copyIndex: number): NoteState {
  const expected = new Uint8Array(TEXT_NOTE_BYTES);
  encodeNote(expected, superblock, copyIndex);
  if (found.every((byte, index) => byte === expected[index])) return 'current';
  const half = TEXT_NOTE_BYTES / 2;
  return isAllZero(found.subarray(0, half)) && isAllZero(found.subarray(half)) ? 'blank' : 'different';
}

export type NoteState =
  | 'current'
  /** All zero: formatted before there were notes, or wiped. */
  | 'blank'
  /** Damaged, or written for another set. */
  | 'different'
  | 'unreadable';

function noteText(superblock: Superblock, copy: CopyLayout): string {
  const { mainModel, mainSerial, mainWwn, spares, copies, unitBytes, logicalBlockBytes } = superblock;
  const facts: [string, string][] = [
    ['set', formatUuid(superblock.setId)],
    ['name', withoutControls(superblock.name)],
    ['main device', `${superblock.mainSizeBytes} bytes, logical blocks of ${logicalBlockBytes} bytes`],
    ['  model', withoutControls(mainModel)],
    ['  serial', withoutControls(mainSerial)],
    ['  WWN', withoutControls(mainWwn)],
    ['unit', `${unitBytes} bytes`],
    ...spares.map((spare, index): [string, string] => [
      `spare ${index}`,
      `${spare.sizeBytes} bytes, ${formatUuid(spare.uuid)}${index === copy.spareIndex ? '   <- this device' : ''}`,
    ]),
    ...copies.map(({ spareIndex, offsetBytes }, index): [string, string] => [
      `copy ${index}`,
      `on spare ${spareIndex} from byte ${offsetBytes}`,
    ]),
  ];
  const table = facts
    .filter(([, text]) => text !== '')
    .map(([label, text]) => `  ${label.padEnd(12)} ${text}\n`)
    .join('');
  return `${INTRODUCTION}${table}${INSTRUCTIONS}${NOTE_PROGRAM}`;
}

const INTRODUCTION = `This device is a SPARE of dm-remap. Do not format it.

It holds sectors that another disk, the main device, can not store any more, and
the map that says which. Without this device the main device has old or
unreadable contents in those places.

`;

const INSTRUCTIONS = `
With dm-remap ("dmremap inspect SPARE", "dmremap metadata check SPARE") or
without it: the program below prints a table for dmsetup, with which any Linux
kernel serves the whole contents, read-only to be safe:

  dd if=THIS_DEVICE bs=4096 skip=2 count=2 | tr -d '\\0' |
    sed -n '/^#!/,$p' >table.py
  python3 table.py MAIN SPARE... | dmsetup create --readonly rescued

By hand (docs/on-disk-format.md has all of it; numbers are little endian): a copy
has two superblocks of 4096 bytes, this text, and from byte 16384 the pages of
the map, each twice, of which the one with the higher number at byte 40 counts.
From byte 64 a page has 126 entries of 32 bytes, one for each unit of the spare
in order. Byte 27 of an entry is 1 if the unit is in use; its first 8 bytes are
the number of the unit of the main device whose contents it holds; the next 4
have a bit for each logical block in it that is lost.

`;
