import { expect, it } from 'vitest';
import type { CheckReport } from '../library/metadata-types.js';
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

it('A newer version that may be lost is not told as damage that another copy makes good', () => {
  const text = (report: CheckReport): string => checkText(report, recordingOutput()).replaceAll(/\s+/g, ' ');
  expect(text(DAMAGED)).toContain('nothing is missing');
  const outdated = text({ ...DAMAGED, maybeOutdatedPages: [7] });
  expect(outdated).toContain('a newer version of 1 page may be lost');
  expect(outdated).not.toContain('nothing is missing');
});
