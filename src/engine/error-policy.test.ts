import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { classifyError, type DataOperation, ERROR_POLICY, RETRY_DELAYS_MS } from './error-policy.js';

const CLASSES = ['media', 'mediaOrDevice', 'transient', 'device', 'space', 'protocol'];
const OPERATIONS: readonly DataOperation[] = ['read', 'write', 'flush'];

describe('the error policy', () => {
  it('has a class for every errno and every operation', () => {
    for (let errno = 1; errno < 256; errno += 1) {
      for (const operation of OPERATIONS) expect(CLASSES).toContain(classifyError(errno, operation));
    }
  });

  it('treats an errno that it does not know as EIO', () => {
    for (const operation of OPERATIONS) {
      expect(classifyError(9999, operation)).toBe(classifyError(ERRNO.EIO, operation));
    }
  });

  it('blames no sector for a failed flush', () => {
    for (const row of ERROR_POLICY.values()) expect(['media', 'mediaOrDevice']).not.toContain(row.flush);
  });

  it('blames no sector where the device is gone, full or refuses the request', () => {
    const { ENODEV, ENXIO, ENOLINK, EROFS, ENOSPC, EOPNOTSUPP, EINVAL } = ERRNO;
    const classes = [ENODEV, ENXIO, ENOLINK, EROFS, ENOSPC, EOPNOTSUPP, EINVAL].map((errno) =>
      classifyError(errno, 'write'),
    );
    expect(classes).toEqual(['device', 'device', 'device', 'device', 'space', 'protocol', 'protocol']);
  });

  it('retries a bounded number of times, with pauses that do not shrink', () => {
    for (const delays of Object.values(RETRY_DELAYS_MS)) {
      expect(delays.length).toBeGreaterThan(0);
      expect(delays.length).toBeLessThan(20);
      expect([...delays].sort((a, b) => a - b)).toEqual(delays);
    }
  });
});
