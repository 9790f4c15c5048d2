/**
 * Bytes as a table of 16 per row: offset, hex, printable ASCII. Rows of nothing but zeroes are left out, so a
 * metadata block shows what is in it.
 */
export function hexDump(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += ROW_BYTES) {
    const row = bytes.subarray(offset, offset + ROW_BYTES);
    if (row.some((byte) => byte !== 0)) rows.push(formatRow(offset, row));
  }
  return rows.join('\n');
}

const ROW_BYTES = 16;

function formatRow(offset: number, row: Uint8Array): string {
  const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0'));
  const ascii = Array.from(row, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  ).join('');
  return `${offset.toString(16).padStart(4, '0')}  ${hex.join(' ').padEnd(3 * ROW_BYTES - 1)}  |${ascii}|`;
}
