import { describe, expect, it } from 'vitest';
import type { DeviceResource } from '../../control/schema/device.js';
import { deviceResource, zeroCounters } from '../testing/device-resource.js';
import { recordingOutput } from '../testing/fake-context.js';
import { moduleFigures } from './module-figures.js';
import { MODULE_FORMATS, moduleStatus } from './module-status.js';
import { csvStatus, jsonStatus } from './status-formats.js';
import { v2Line, v4Line } from './status-lines.js';

const NOW_SECONDS = 1_700_000_010;

/** 3 units moved, one of them with a lost block, 5 places used. */
const USED: DeviceResource = deviceResource({
  remappedUnits: 3,
  unitsWithLostBlocks: 1,
  freeSpareUnits: 395,
  health: { state: 'degraded', findings: [] },
  recently: {
    sinceSeconds: 1_700_000_000,
    scanCount: 2,
    counters: {
      ...zeroCounters(),
      reads: 100,
      writes: 50,
      flushes: 7,
      readBytes: 409_600,
      writtenBytes: 204_800,
      mainReadErrors: 4,
      mainWriteErrors: 2,
      spareWriteErrors: 1,
      remapsOfWrites: 1,
      remapsOfReads: 1,
      remapsByHand: 1,
    },
  },
});

describe('the v2 line', () => {
  it('counts sectors, and errors of either kind', () => {
    expect(v2Line(USED)).toBe(
      '0 16384 remap v2.0 24/3200 8/3200 40/3200 health=2 errors=W3:R4 auto_remaps=2 manual_remaps=1 scan=0%',
    );
  });

  it.each([
    [{}, 0],
    [{ remappedUnits: 1, freeSpareUnits: 399 }, 1],
    [{ remappedUnits: 2, freeSpareUnits: 398 }, 2],
    [{ remappedUnits: 13, freeSpareUnits: 387 }, 3],
    [{ freeSpareUnits: 40 }, 4],
    [{ freeSpareUnits: 0, usableSpareUnits: 0 }, 4],
    [{ health: { state: 'critical', findings: [] } }, 4],
    [{ health: { state: 'degraded', findings: [] } }, 0],
  ] as const)('grades %j as %d, as the module does', (changes, grade) => {
    expect(v2Line(deviceResource(changes))).toContain(` health=${grade} `);
  });
});

describe('the v4 line', () => {
  it('has 31 fields in the order of the module', () => {
    const line = v4Line(moduleFigures(USED, NOW_SECONDS));
    expect(line).toBe(
      '0 16384 dm-remap-v4 v4.0-phase1.4 /dev/sda /dev/sdb 100 50 2 7 3 157 0 0 61440 512 4096 150 0 0 24 0 0 0 0 2 93 0 0 operational real',
    );
    expect(line.split(' ')).toHaveLength(31);
  });

  it('has the latency that the kernel measures for a block device', () => {
    const device = { ...USED, blockDevice: { ioCount: 4, totalTimeNs: 6_000_000 } };
    const fields = v4Line(moduleFigures(device, NOW_SECONDS)).split(' ');
    expect(fields.slice(12, 14)).toEqual(['6000000', '1500000']);
    expect(moduleStatus([device], 'human', false, recordingOutput())).toMatch(/Avg Latency +1500\.0 μs\n/);
  });

  it('keeps its fields with blanks in a path, and says when requests are held', () => {
    const device = deviceResource({ main: { ...USED.main, path: '/tmp/my disk.img' }, suspended: true });
    const fields = v4Line(moduleFigures(device, NOW_SECONDS)).split(' ');
    expect(fields).toHaveLength(31);
    expect(fields[4]).toBe('/tmp/my\\040disk.img');
    expect(fields[29]).toBe('maintenance');
  });
});

describe('the formats of dmremap-status', () => {
  it('json has its groups in its order', () => {
    const document = JSON.parse(jsonStatus(moduleFigures(USED, NOW_SECONDS), 0));
    expect(Object.keys(document)).toEqual([
      'timestamp',
      'device',
      'devices',
      'io_statistics',
      'performance',
      'remapping',
      'cache',
      'health',
      'operational',
    ]);
    expect(document.timestamp).toBe('1970-01-01T00:00:00.000Z');
    expect(document.health).toEqual({ score: 93, status: 'GOOD', hotspots: 0, health_scans: 2 });
  });

  it('csv has as many values as titles, also with commas in a path', () => {
    const device = deviceResource({ main: { ...USED.main, path: '/tmp/a,"b".img' } });
    const [titles, values] = csvStatus(moduleFigures(device, NOW_SECONDS), 0).split('\n');
    expect(titles).toMatch(/^# timestamp,/);
    expect(values).toContain(',"/tmp/a,""b"".img",');
    expect(titles!.split(',')).toHaveLength(18);
  });

  it('human has no escape sequences where there is no terminal', () => {
    const text = moduleStatus([USED], 'human', false, recordingOutput());
    expect(text).toMatch(/Health Score +93\/100 GOOD\n/);
    expect(text).not.toContain('\u001b');
  });

  it('compact is one line', () => {
    expect(moduleStatus([USED], 'compact', true, recordingOutput())).toMatch(
      /^attic: v4\.0-phase1\.4: health=93% latency=0\.0μs throughput=0MB\/s cache=0% errors=7 hotspots=0\n$/,
    );
  });

  it.each(MODULE_FORMATS)('%s ends with a line end for each set', (format) => {
    expect(moduleStatus([], format, true, recordingOutput())).toBe('');
    expect(moduleStatus([USED, USED], format, true, recordingOutput())).toMatch(/[^\n]\n$/);
  });
});
