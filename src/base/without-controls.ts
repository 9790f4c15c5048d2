/** Texts from disks, files and people on one line: what a terminal would obey, or take for the end of the line, becomes "?". */
export function withoutControls(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
