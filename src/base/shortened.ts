/** Of a text of which nobody knows how long it is, the beginning; what is cut off shows. */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  // Half of a character that has two units would be none.
  return `${text.slice(0, limit).replace(/[\ud800-\udbff]$/, '')}...`;
}
