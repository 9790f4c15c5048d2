import { describe, expect, it } from 'vitest';
import { formatProperties, tellsOfUntoldFailure } from './ublk-properties.js';

const set = { name: 'attic', setId: '07070707-0707-0707-0707-070707070707' };

describe('properties of a block device', () => {
  it('tell the next process of a failed flush that clients were not told of, and only then', () => {
    const plain = formatProperties({ ...set, hasUntoldFailure: false });
    expect(plain).toBe(`DM_REMAP_NAME=attic\nDM_REMAP_UUID=${set.setId}\n`);
    expect(tellsOfUntoldFailure(plain)).toBe(false);
    expect(tellsOfUntoldFailure(formatProperties({ ...set, hasUntoldFailure: true }))).toBe(true);
  });

  it('take nothing from a name that says so', () => {
    const name = 'DM_REMAP_FLUSH_FAILED=1';
    expect(tellsOfUntoldFailure(formatProperties({ ...set, name, hasUntoldFailure: false }))).toBe(false);
    const broken = formatProperties({ ...set, name: `attic\n${name}`, hasUntoldFailure: false });
    expect(broken).toBe(`DM_REMAP_UUID=${set.setId}\n`);
  });
});
