import { readFileSync } from 'node:fs';

/**
 * Kernel parameters for a guest whose clock is right. It measures its time stamp counter against a timer as it boots,
 * and on a busy host finds anything (a factor of 6 was seen, and every time-out came early). Under emulation the
 * counter is the host's: in a virtual machine its frequency is what /proc/cpuinfo says. Elsewhere that is only the
 * present clock of a core; the guest then measures.
 *
 * `tsc=reliable`: on an emulated machine with several processors the kernel would rather ask the HPET, and every look at
 * the clock, of which Node takes many, would leave the guest.
 */
export function clockParameters(): string {
  const cpuinfo = readFileSync('/proc/cpuinfo', 'utf8');
  const mhz = /^cpu MHz\s*: ([\d.]+)$/m.exec(cpuinfo)?.[1];
  if (mhz === undefined || !/^flags\s*:.*\bhypervisor\b/m.test(cpuinfo)) return 'no_timer_check tsc=reliable';
  return `no_timer_check tsc=reliable tsc_early_khz=${Math.round(Number(mhz) * 1_000)}`;
}
