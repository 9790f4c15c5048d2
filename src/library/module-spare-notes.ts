import { SECTOR_BYTES } from '../base/units.js';
import type { ModuleFinding } from '../format/import/find-module-record.js';
import type { ModuleRemap } from '../format/import/module-remap.js';
import type { ModuleSpareReport } from './import-types.js';
import { BAD_CHECKSUM } from './module-layout-message.js';

/** What a person should know of a record before relying on it, a sentence each. */
export function notesOf(
  finding: Extract<ModuleFinding, { kind: 'v3' | 'v4' }>,
  { spare, main, otherUse }: Pick<ModuleSpareReport, 'spare' | 'main' | 'otherUse'>,
  remaps: readonly ModuleRemap[],
): string[] {
  const notes = finding.kind === 'v4' ? notesOnV4(finding) : notesOnV3(finding);
  if (otherUse !== null) notes.push(otherUseNote(otherUse));
  const pending = remaps.filter(({ state }) => state === 'pending').length;
  if (pending > 0) {
    notes.push(
      `${pending} marked pending: the module did not use them before it was loaded again; if it never was, the spare ` +
        'does not have their data',
    );
  }
  notes.push(...sizeNote('main device', finding.mainSectors, main?.sizeBytes));
  notes.push(...sizeNote('spare', finding.spareSectors, spare.sizeBytes));
  return notes;
}

export function otherUseNote(otherUse: string): string {
  return `it holds ${otherUse} as well: if that came after the module had used it, other data lies where the module's was`;
}

function notesOnV4({ copies, copyIndex, rival }: Extract<ModuleFinding, { kind: 'v4' }>): string[] {
  const notes: string[] = [];
  const used = copies[copyIndex]!.state;
  const bad = copies.filter(({ state }) => state !== 'good' && state !== used).length;
  if (bad > 0) notes.push(`${bad} of 5 copies of the record are not used; see their states`);
  if (copies.some(({ state }) => state === 'badChecksum')) notes.push(BAD_CHECKSUM);
  if (used === 'fromTheFuture') {
    notes.push(
      "the record is dated in the future; either the clock of this machine is wrong or that one's was",
    );
  }
  const whole = copies.filter((copy) => copy.state === used);
  if (whole.some(({ sequence }) => sequence !== copies[copyIndex]!.sequence)) {
    notes.push(
      'valid copies have different sequence numbers, and the module starts these anew when it is loaded',
    );
  }
  const sizes = [...new Set(copies.flatMap(({ mainSectors }) => mainSectors ?? []))];
  if (sizes.length > 1) {
    notes.push(
      `the copies name main devices of different sizes (${sizes.join(', ')} sectors), so some may be of another disk`,
    );
  }
  if (rival === 'v3') {
    notes.push(
      'a header of version 3 lies over the record, so it was used in another way since; the remaps of both are disputed',
    );
  }
  if (rival === 'earlyV4')
    notes.push('all its other pages are those of version 4.0 or 4.1, which holds no remaps');
  return notes;
}

function notesOnV3({ state }: Extract<ModuleFinding, { kind: 'v3' }>): string[] {
  const notes = [
    'no checksum of version 3 ever fits, so damage can hide in any number: check the remaps one by one',
  ];
  if (state !== 'clean') notes.push(`the module left the record in state "${state}"`);
  return notes;
}

function sizeNote(name: string, recordedSectors: number, sizeBytes: number | undefined): string[] {
  if (sizeBytes === undefined || sizeBytes === recordedSectors * SECTOR_BYTES) return [];
  const actual = Math.floor(sizeBytes / SECTOR_BYTES);
  return [
    `the recorded ${name} has ${recordedSectors} sectors, this one ${actual}; the module records the whole disk's ` +
      'size for a partition too',
  ];
}
