/** How many of the 32 bits of a mask are set. */
export function onesIn(mask: number): number {
  return (mask >>> 0).toString(2).replaceAll('0', '').length;
}
