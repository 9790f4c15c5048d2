/**
 * Whether a line of the console says that the kernel, or a file system in it, is in trouble. I/O errors are not among
 * them: scenarios make them on purpose. Stalls of RCU neither: a busy host under emulation causes them.
 */
export function isComplaint(line: string): boolean {
  return COMPLAINTS.some((pattern) => pattern.test(line));
}

const COMPLAINTS = [
  /\bBUG: /,
  /\bWARNING: /,
  /\bOops: /,
  /\bUBSAN: /,
  /\brefcount_t: /,
  /general protection fault/,
  /Kernel panic/,
  /blocked for more than \d+ seconds/,
  /EXT4-fs (error|warning)/,
  /JBD2: .*(error|Detected)/,
  /XFS .*(Corruption|corruption|[Ee]rror|[Ss]hut)/,
  /BTRFS (error|critical|warning)/,
  /laboratory: .* failed/,
];
