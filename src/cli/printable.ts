/**
 * Names and models come from disks and people: in a listing, what a terminal would obey, or take for the end of a line,
 * becomes a question mark. Colours stay: `coloured` may have put them there, and they do no harm.
 */
export function printable(text: string): string {
  return text.replaceAll(COLOUR_OR_CONTROL, (found) =>
    found.length > 1 && found.startsWith(ESCAPE) ? found : `?${found.slice(1)}`,
  );
}

const ESCAPE = '\u001b';
/** The last ones turn the direction of a text around, so that a line reads as something that it isn't. */
const COLOUR_OR_CONTROL = /\p{Cc}\[\d{1,2}m|[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
