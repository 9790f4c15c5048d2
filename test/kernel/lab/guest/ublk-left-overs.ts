import { existsSync, readdirSync } from 'node:fs';
import { expectEqual } from './expect.js';

/** Fails if a ublk device, or what dm-remap writes about one, is still there. */
export function expectNoUblkDevice(): void {
  expectEqual(ublkTraces(), [], 'what is left of ublk devices');
}

function ublkTraces(): string[] {
  const nodes = readdirSync('/dev').filter((name) => /^ublk[bc]\d/.test(name));
  return [...nodes, ...(existsSync(RUN_DIRECTORY) ? readdirSync(RUN_DIRECTORY) : [])];
}

const RUN_DIRECTORY = '/run/dm-remap';
