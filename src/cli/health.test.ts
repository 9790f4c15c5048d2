import { describe, expect, it } from 'vitest';
import { healthOf } from './health.js';
import { inspectText } from './inspect-text.js';
import { fakeContext, inspectReport, recordingOutput, remapReport } from './testing/fake-context.js';

const lost = remapReport({ lostSectors: [5000, 5001] });
const [goodCopy] = inspectReport().copies;

describe('the health of a set', () => {
  it.each([
    ['healthy', [], {}],
    ['healthy', ['notCleanlyStopped'], { cleanShutdown: false }],
    ['healthy', [], { cleanShutdown: false, openCount: 0 }],
    ['degraded', ['remapped'], { remaps: [remapReport()] }],
    ['degraded', ['lowSpare'], { freeSpareUnits: 99 }],
    ['degraded', ['damagedCopies'], { copies: [goodCopy!, goodCopy!, { ...goodCopy!, badPages: 1 }] }],
    ['critical', ['damagedCopies'], { copies: [goodCopy!, { ...goodCopy!, superblock: 'damaged' }] }],
    ['critical', ['noSpareLeft'], { freeSpareUnits: 0 }],
    ['critical', ['lostBlocks', 'remapped'], { remaps: [lost] }],
    ['critical', ['spareStale'], { spares: [{ ...inspectReport().spares[0]!, isStale: true }] }],
    ['critical', ['mapMaybeOutdated'], { maybeOutdatedPages: 2 }],
    ['critical', ['spareMissing'], { spares: [{ ...inspectReport().spares[0]!, path: null }] }],
  ])('is %s with %j', (state, findings, changes) => {
    const health = healthOf(inspectReport(changes));
    expect(health.state).toBe(state);
    expect(health.findings.map(({ id }) => id)).toEqual(findings);
  });

  it('does not hold copies against a spare that are on another one, which was not given', () => {
    const [spare] = inspectReport().spares;
    const missing = { ...spare!, index: 1, path: null };
    const away = { ...goodCopy!, spareIndex: 1, superblock: 'missing', goodPages: 0, badPages: 4 };
    const copies = [goodCopy!, away, goodCopy!, away, goodCopy!];
    const { findings } = healthOf(inspectReport({ spares: [spare!, missing], copies }));
    expect(findings.map(({ id }) => id)).toEqual(['spareMissing']);
    expect(findings[0]!.status).toBe(
      '1 spare of the set was not given; 2 metadata copies and 0 remapped units on it.',
    );
  });

  it('says what reading a lost block gives', () => {
    const report = inspectReport({ remaps: [lost] });
    const settings = report.settings.map((one) => (one.name === 'on_lost' ? { ...one, value: 'zero' } : one));
    const said = [report, { ...report, settings }].map(
      (one) => healthOf(one).findings.find(({ id }) => id === 'lostBlocks')?.status,
    );
    expect(said).toEqual([
      expect.stringContaining('reading them gives an error.'),
      expect.stringContaining('reading them gives zeroes, as on_lost says.'),
    ]);
  });

  it('is told in words: state, what it means, what to do', () => {
    const report = inspectReport({ remaps: [lost], counters: { ...inspectReport().counters, reads: 12 } });
    const text = inspectText(report, healthOf(report), fakeContext().out);
    expect(text).toMatch(
      /^ +set: demo \(0f0e0d0c.*\n +state: CRITICAL\n +status: Logical blocks of 1 unit could not be read/,
    );
    expect(text).toMatch(/\n +action: Find the files/);
    // inspect is also for a set at work, and status shows the same words.
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      '"dmremap lost" lists the sectors and files while the set is served',
    );
    expect(text).toContain('lost: 2 logical blocks in 1 unit\n');
    expect(text).toContain('spare: 1,000 of 1,000 units free (100.0 %)\n');
    expect(text).toMatch(/\nCOPY {2}SPARE {2}OFFSET {2}SUPERBLOCK {2}GOOD PAGES {2}BAD PAGES\n/);
    expect(text).toMatch(/\nCOUNTER {2}VALUE\nreads {7}12\n/);
  });

  it('is coloured only where colour is wanted', () => {
    const report = inspectReport();
    const colourful = { ...recordingOutput(), hasColour: true };
    expect(inspectText(report, healthOf(report), colourful)).toContain('\u001b[32mHEALTHY\u001b[0m');
    expect(inspectText(report, healthOf(report), recordingOutput())).not.toContain('\u001b');
  });
});
