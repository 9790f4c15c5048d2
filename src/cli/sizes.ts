import { failed, ok, type Result } from '../base/result.js';

/**
 * `4096`, `4k`, `4K`, `4KiB`, `16M`, `1G`, `1T`: bytes, in powers of 1024. Decimal units (`4kB`) are refused, because
 * nobody agrees on what they mean for disks.
 */
export function parseSize(text: string): Result<number, string> {
  const match = /^(\d+)(?:([kmgt])(?:ib)?|b)?$/i.exec(text.trim());
  if (match === null) return failed(`"${text}" is not a size; write 4096, 4k or 4KiB`);
  const exponent = match[2] === undefined ? 0 : 'kmgt'.indexOf(match[2].toLowerCase()) + 1;
  const sizeBytes = Number(match[1]) * 1024 ** exponent;
  return Number.isSafeInteger(sizeBytes) ? ok(sizeBytes) : failed(`"${text}" is too large`);
}

/** `64 MiB`, `1.5 GiB`, `512 bytes`: for people, with three significant digits at most. */
export function formatSize(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = Number.isInteger(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
