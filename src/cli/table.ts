import { printable } from './printable.js';

/** Columns of text: titles, then rows; numbers are right aligned. No trailing blanks. */
export function formatTable(
  titles: readonly string[],
  rows: readonly (readonly Cell[])[],
  indent = '',
): string {
  const texts = rows.map((row) => row.map((cell) => printable(String(cell))));
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...texts.map((row) => row[column]?.length ?? 0)),
  );
  const isNumeric = titles.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        isNumeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return [titles, ...texts].map((cells) => `${indent}${line(cells)}\n`).join('');
}

export type Cell = string | number;

/** `label: text` lines with the labels right aligned, as zpool prints them; long texts are wrapped. */
export function formatFields(
  fields: readonly (readonly [label: string, text: string])[],
  columns: number,
): string {
  const labelWidth = Math.max(...fields.map(([label]) => label.length));
  const continuation = ' '.repeat(labelWidth + 2);
  return fields
    .map(([label, text]) => {
      const lines = wrap(printable(text), Math.max(MIN_TEXT_COLUMNS, columns - labelWidth - 2));
      return `${label.padStart(labelWidth)}: ${lines.join(`\n${continuation}`)}\n`;
    })
    .join('');
}

/** Breaks a text at blanks; a word that is too long gets a line of its own. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

const MIN_TEXT_COLUMNS = 20;
