import { expect, it } from 'vitest';
import type { CheckReport, CopyReport, FindingReport } from '../library/metadata-types.js';
import { checkText } from './metadata-text.js';
import { recordingOutput } from './testing/fake-context.js';

const DAMAGED: CheckReport = {
  state: 'damaged',
  problem: null,
  set: null,
  copies: [],
  findings: [],
  lostPages: [],
  maybeOutdatedPages: [],
  impossibleUnits: [],
  supersededPages: [],
  anchors: [],
};

const text = (report: CheckReport): string => checkText(report, recordingOutput()).replaceAll(/\s+/g, ' ');

it('Who forgot a spare is asked for it, and is not told to use force', () => {
  const problem = { failure: 'refused', message: 'spare 1 of the set is missing' } as const;
  const doubtful: CheckReport = { ...DAMAGED, state: 'doubtful', problem };
  expect(text(doubtful)).toContain('--force');
  const forgotten = text({ ...doubtful, copies: [{ path: null } as CopyReport] });
  expect(forgotten).toContain('action: give all spares of the set');
  expect(forgotten).not.toContain('--force');
});

it('A newer version that may be lost is not told as damage that another copy makes good', () => {
  expect(text(DAMAGED)).toContain('nothing is missing');
  const outdated = text({ ...DAMAGED, maybeOutdatedPages: [7] });
  expect(outdated).toContain('a newer version of 1 page may be lost');
  expect(outdated).not.toContain('nothing is missing');
});

it('Nobody is told that a start mends a text note, which it does not', () => {
  const note = { what: 'note', state: 'different', action: 'rewritten' } as FindingReport;
  const page = { what: 'page', state: 'badChecksum', action: 'rewritten' } as FindingReport;
  expect(text({ ...DAMAGED, findings: [page] })).toContain(
    'the next start mends it; "dmremap metadata repair"',
  );
  expect(text({ ...DAMAGED, findings: [page, note] })).toContain(
    'the next start mends all but the text notes',
  );
  expect(text({ ...DAMAGED, findings: [note] })).not.toContain('the next start mends');
  expect(text({ ...DAMAGED, findings: [note], supersededPages: [1] })).toContain('the next start mends');
});

it('Of a whole set that this version does not start, nobody is told that nothing is to be done', () => {
  const problem = { failure: 'metadata', message: 'carries a feature of a newer dm-remap' } as const;
  expect(text({ ...DAMAGED, state: 'clean', problem })).toContain('action: none with this version');
});
