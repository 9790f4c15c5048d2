/** `2025-11-21 14:53:07 UTC`; `never` for 0, which the metadata uses where nothing has happened yet. */
export function formatTime(secondsSince1970: number): string {
  if (secondsSince1970 === 0) return 'never';
  const date = new Date(secondsSince1970 * 1000);
  if (Number.isNaN(date.getTime())) return `second ${secondsSince1970}`;
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
}
