/** Why a set can't have this name, as the end of a sentence about it; undefined if it can. */
export function problemOfSetName(name: string): string | undefined {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `give ${MAX_NAME_BYTES} bytes at most`;
  if (/\p{Cc}/u.test(name))
    return 'give letters, digits and signs only, no line ends or other control characters';
  return undefined;
}

/** Room in the superblock (docs/on-disk-format.md). */
const MAX_NAME_BYTES = 64;
