/**
 * `st_rdev` in user space has 12 bits of major and 20 of minor as 0xmmmMMMmm (sys/sysmacros.h; larger majors are not
 * in use).
 */
export function deviceMajor(deviceNumber: number): number {
  return (deviceNumber >>> 8) & 0xfff;
}

export function deviceMinor(deviceNumber: number): number {
  return (deviceNumber & 0xff) | ((deviceNumber >>> 12) & 0xf_ff00);
}
