import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import type { FaultScenario } from './fault-rule.js';
import { OperationBit } from './fault-rule.js';
import { describeScenarioFailure, parseFaultScenario } from './fault-scenario.js';

const EXAMPLE = `
main:
  - { sectors: "100-101,200,300,400", on: [read, write], error: ENODATA }
  - { sectors: "5000-5007", on: [read], error: ENODATA, healsOnWrite: true }
  - { sectors: 9000, on: [read], error: EIO, times: 2 }
  - { sectors: "12000-13000", delayMs: 300 }
  - { afterOps: 50000, on: [read, write, flush], error: ENODEV }
spare:
  - { sectors: "4096-4103", on: [write], error: EIO }
spare3:
  - on: [discard, writeZeroes]
    error: EOPNOTSUPP
`;

function accept(text: string): FaultScenario {
  const parsed = parseFaultScenario(text, 'faults.yaml');
  if (!parsed.ok) throw new Error(describeScenarioFailure(parsed.error));
  return parsed.value;
}

function refuse(text: string): string {
  const parsed = parseFaultScenario(text, 'faults.yaml');
  expect(parsed.ok).toBe(false);
  return parsed.ok ? '' : describeScenarioFailure(parsed.error);
}

describe('parseFaultScenario', () => {
  it('reads every kind of rule', () => {
    const { main, spares } = accept(EXAMPLE);
    expect(main).toHaveLength(5);
    expect(main[0]).toMatchObject({
      errno: ERRNO.ENODATA,
      delayMs: 0,
      times: Number.POSITIVE_INFINITY,
      operations: OperationBit.read | OperationBit.write | OperationBit.writeZeroes,
    });
    expect(main[0]?.sectors?.pairs()).toEqual([
      { start: 100, end: 102 },
      { start: 200, end: 201 },
      { start: 300, end: 301 },
      { start: 400, end: 401 },
    ]);
    expect(main[1]).toMatchObject({ healsOnWrite: true, operations: OperationBit.read });
    expect(main[2]).toMatchObject({ times: 2 });
    expect(main[2]?.sectors?.pairs()).toEqual([{ start: 9000, end: 9001 }]);
    expect(main[3]).toMatchObject({
      errno: 0,
      delayMs: 300,
      operations: OperationBit.read | OperationBit.write | OperationBit.writeZeroes,
    });
    expect(main[4]).toMatchObject({ sectors: undefined, afterOperations: 50000, errno: ERRNO.ENODEV });
    expect(spares.map((rules) => rules.length)).toEqual([1, 0, 1]);
  });

  it('takes an empty file as no faults', () => {
    expect(accept('')).toEqual({ main: [], spares: [] });
    expect(accept('# nothing\nmain: []\n')).toEqual({ main: [], spares: [] });
  });

  it('takes spare1 as the first spare', () => {
    expect(accept('spare1:\n  - { error: EIO }\n').spares).toHaveLength(1);
  });

  it.each([
    [
      'an unknown errno',
      'main:\n  - { error: EIO }\n  - { sectors: "1", error: EBAD }',
      /^faults\.yaml:3: main\[1\]\.error: .*allowed: .*ENODATA/,
    ],
    [
      'a reversed range',
      'main:\n  - error: EIO\n    sectors: "9-5"',
      /^faults\.yaml:3: main\[0\]\.sectors: "9-5" is reversed/,
    ],
    [
      'text for a range',
      'main:\n  - { error: EIO, sectors: "1,x" }',
      /:2: main\[0\]\.sectors: "x" is not a sector.*allowed/,
    ],
    [
      'a negative sector',
      'main:\n  - { error: EIO, sectors: -4 }',
      /:2: main\[0\]\.sectors: "-4" is not a sector/,
    ],
    [
      'a sector past 2^53 bytes',
      'main:\n  - { error: EIO, sectors: "99999999999999" }',
      /beyond the largest/,
    ],
    [
      'a rule that does nothing',
      'main:\n  - { sectors: "1" }',
      /^faults\.yaml:2: main\[0\]: needs an error, a delayMs/,
    ],
    [
      'an unknown key',
      'main:\n  - error: EIO\n    sector: "1"',
      /^faults\.yaml:3: main\[0\]\.sector: unknown key; allowed: sectors, on, /,
    ],
    [
      'an unknown operation',
      'main:\n  - { error: EIO, on: [raed] }',
      /:2: main\[0\]\.on\[0\]: .*allowed: read, write, flush/,
    ],
    ['no operation', 'main:\n  - { error: EIO, on: [] }', /:2: main\[0\]\.on: /],
    [
      'one operation without a list',
      'main:\n  - { error: EIO, on: read }',
      /:2: main\[0\]\.on: must be a list of operations/,
    ],
    [
      'an unknown device',
      'main: []\nsapre: []',
      /^faults\.yaml:2: sapre: unknown device; allowed: main, spare/,
    ],
    ['spare0', 'spare0: []', /:1: spare0: unknown device/],
    ['spare17', 'spare17: []', /:1: spare17: unknown device; allowed: .*spare16/],
    ['the first spare twice', 'spare: []\nspare1: []', /:2: spare1: .*same device/],
    ['a device given twice', 'main: []\nmain: []', /^faults\.yaml:2: /],
    ['a device without a list', 'main: { error: EIO }', /:1: main: must be a list of rules/],
    ['a rule that is text', 'main:\n  - EIO', /:2: main\[0\]: must be a rule, a map of: sectors/],
    ['a list at the top', '- error: EIO', /^faults\.yaml:1: must be a map of devices/],
    [
      'healing of failing writes',
      'main:\n  - { sectors: "1", error: EIO, healsOnWrite: true }',
      /main\[0\]\.healsOnWrite: needs an "on" without write/,
    ],
    [
      'healing without sectors',
      'main:\n  - { on: [read], error: EIO, healsOnWrite: true }',
      /healsOnWrite: needs "sectors"/,
    ],
    [
      'sectors of a flush',
      'main:\n  - { sectors: "1", on: [flush], error: EIO }',
      /main\[0\]\.on: a flush has no sectors/,
    ],
    [
      'zero times',
      'main:\n  - { error: EIO, times: 0 }',
      /times: must be a whole number of operations from 1/,
    ],
    [
      'half a millisecond',
      'main:\n  - { delayMs: 0.5 }',
      /delayMs: must be a whole number of milliseconds from 1/,
    ],
    ['broken YAML', 'main:\n  - { error: EIO', /^faults\.yaml:\d+: /],
    ['an alias to nowhere', 'main: *nothing', /^faults\.yaml:1: .*nothing/],
  ])('refuses %s, with the line, the key and what is allowed', (_what, text, message) => {
    expect(refuse(text)).toMatch(message);
  });

  it('reports all problems, one line each', () => {
    const lines = refuse('main:\n  - { error: EWHAT }\n  - { delayMs: -1 }\nspare:\n  - {}').split('\n');
    expect(lines.map((line) => line.split(':')[1])).toEqual(['2', '3', '5']);
  });
});
