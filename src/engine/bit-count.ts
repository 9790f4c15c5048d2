/** Number of ones in a 32-bit mask. */
export function bitCount(mask: number): number {
  let ones = 0;
  for (let rest = mask >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) ones += 1;
  return ones;
}
