/**
 * Why a set can't be given this name, as the end of a sentence about it; undefined if it can. udev makes /dev/dm-remap/NAME of
 * it, and listings have it on one line. A set that has another name on disk already can be opened all the same.
 */
export function problemOfSetName(name: string): string | undefined {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `give ${MAX_NAME_BYTES} bytes at most`;
  if (/\p{Cc}/u.test(name))
    return 'give letters, digits and signs only, no line ends or other control characters';
  if (name.trim() !== name) return 'give a name without blanks at its beginning and end';
  if (name.includes('/') || name === '.' || name === '..')
    return 'give a name without "/", and not "." or "..": it becomes a file name, /dev/dm-remap/NAME';
  return undefined;
}

/** Room in the superblock (docs/on-disk-format.md). */
const MAX_NAME_BYTES = 64;
