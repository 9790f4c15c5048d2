import { describe, expect, it } from 'vitest';
import { STANDARD_SETTINGS } from '../settings/setting-table.js';
import { healthScore } from './health-score.js';
import { judgeHealth } from './judge-health.js';

const WELL = {
  remappedUnits: 0,
  unitsWithLostBlocks: 0,
  freeSpareUnits: 100,
  usableSpareUnits: 100,
  mainUnits: 10_000,
  settings: STANDARD_SETTINGS,
  doubtful: { staleSpares: [], pageCount: 0 },
  missing: { spareCount: 0, unitCount: 0, isMapKnown: true, copyCount: 0 },
  copies: null,
  mayBeInUse: false,
  suspended: false,
  gone: [],
  emptying: [],
  takingNone: [],
  remapLimitReached: false,
};

describe('the health of a set as a number', () => {
  it.each([
    [{}, 100],
    [{ remappedUnits: 1 }, 94],
    [{ remappedUnits: 50, freeSpareUnits: 50 }, 67],
    [{ remappedUnits: 99, freeSpareUnits: 1 }, 41],
    [{ remappedUnits: 100, freeSpareUnits: 0 }, 20],
    [{ unitsWithLostBlocks: 1 }, 20],
    [{ suspended: true }, 94],
    [{ emptying: [{ path: '/dev/sdb', spareIndex: 0, movedUnits: 4, leftUnits: 6 }] }, 94],
  ])('%j: %d', (changes, score) => {
    const facts = { ...WELL, ...changes };
    expect(healthScore({ ...facts, health: judgeHealth(facts) })).toBe(score);
  });

  it.each([
    [{ freeSpareUnits: 10 }, {}, []],
    [{ freeSpareUnits: 9 }, {}, ['lowSpare']],
    [{ freeSpareUnits: 40 }, { spare_warning_percent: 50 }, ['lowSpare']],
    [{ freeSpareUnits: 9 }, { spare_warning_percent: 95 }, []],
    [{ freeSpareUnits: 9 }, { emergency_threshold: 90 }, ['spareNearlyFull']],
    [{ freeSpareUnits: 0 }, { emergency_threshold: 90 }, ['noSpareLeft']],
    [{ freeSpareUnits: 0, remapLimitReached: true }, { max_remaps: 10 }, ['remapLimitReached']],
    [{}, { spare_overhead_percent: 1 }, []],
    [{}, { spare_overhead_percent: 2 }, ['smallSpare']],
  ])('with %j and the settings %j: %j', (changes, settings, ids) => {
    const { findings } = judgeHealth({ ...WELL, ...changes, settings: { ...WELL.settings, ...settings } });
    expect(findings.map(({ id }) => id)).toEqual(ids);
  });

  it('says what mends it where no unit may move any more', () => {
    const full = { ...WELL, freeSpareUnits: 0 };
    expect(judgeHealth(full).findings[0]!.action).toContain('dmremap spare add DEVICE --set SET');
    const settings = { ...WELL.settings, max_remaps: 10 };
    const [limit] = judgeHealth({ ...full, settings, remapLimitReached: true }).findings;
    expect(limit!.status).toContain('max_remaps allows 10');
    expect(limit!.action).toContain('dmremap set SET max_remaps=N');
  });

  it('says of a spare that refuses units what it means, and what mends it', () => {
    const takingNone = [{ path: '/s.img', spareIndex: 0, freeUnits: 3183, refusal: 'ENOSPC' }];
    const judge = (freeSpareUnits: number) => judgeHealth({ ...WELL, takingNone, freeSpareUnits });
    expect(judge(0)).toMatchObject({ state: 'critical', findings: [{ id: 'spareRefuses' }] });
    expect(judge(0).findings[0]!.status).toMatch(
      /^Spare 0 \(\/s\.img\) refuses writes: .* ENOSPC; .* write error\.$/,
    );
    expect(judge(0).findings[0]!.action).toContain('dmremap spare add DEVICE --set SET');
    expect(judge(90)).toMatchObject({ state: 'degraded', findings: [{ id: 'spareRefuses' }] });
  });

  it('says of a suspended set that requests wait, and what ends that', () => {
    const { findings } = judgeHealth({ ...WELL, suspended: true });
    expect(findings.map(({ id }) => id)).toEqual(['suspended']);
    expect(findings[0]!.action).toContain('dmremap resume');
  });
});
