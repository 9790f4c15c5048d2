import { sectorCount } from './disks.js';

/** Part of a device, in sectors of 512 bytes. */
export interface Stretch {
  readonly first: number;
  readonly count: number;
}

/**
 * A table over a device that passes everything on but some stretches, in order, which dm-flakey spoils all the time:
 * `error_writes`, `drop_writes`, `corrupt_bio_byte NTH r|w VALUE FLAGS`. An I/O is cut where a stretch ends.
 */
export function flakeyTable(device: string, stretches: readonly Stretch[], feature: string): string {
  const lines: string[] = [];
  let next = 0;
  const passTo = (end: number): void => {
    if (end > next) lines.push(`${next} ${end - next} linear ${device} ${next}`);
  };
  for (const { first, count } of stretches) {
    passTo(first);
    lines.push(`${first} ${count} flakey ${device} ${first} 0 60 ${feature.split(' ').length} ${feature}`);
    next = first + count;
  }
  passTo(sectorCount(device));
  return `${lines.join('\n')}\n`;
}

/** A table where everything fails for some seconds, then works for some, and so on. */
export function intervalTable(device: string, upSeconds: number, downSeconds: number): string {
  return `0 ${sectorCount(device)} flakey ${device} 0 ${upSeconds} ${downSeconds}\n`;
}

/** The whole device as one stretch. */
export function wholeDevice(device: string): Stretch {
  return { first: 0, count: sectorCount(device) };
}
