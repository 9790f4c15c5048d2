import type { Document } from 'yaml';
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { failed, ok, type Result } from '../base/result.js';
import { shortened } from '../base/shortened.js';
import { offsetOfPath } from './yaml-position.js';

/** Reads a YAML text of a person. The library is large: whoever can do without it loads this late. */
export function readYaml(text: string): Result<YamlText, readonly YamlProblem[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const at = (offset: number): TextPosition => {
    const { line, col: column } = lines.linePos(offset);
    return { line, column };
  };
  if (document.errors.length > 0)
    return failed(
      document.errors.map(({ pos, message }) => ({ ...at(pos[0]), problem: firstLine(message) })),
    );
  const lostKey = offsetOfLostKey(document);
  if (lostKey !== undefined)
    return failed([
      { ...at(lostKey), problem: `${LOST_KEY}: no key can have this name; choose another one` },
    ]);
  const plain = plainValue(document);
  if (!plain.ok) return failed([{ line: 1, column: 1, problem: plain.error }]);
  return ok({ value: plain.value, positionOf: (path) => at(offsetOfPath(document, path)) });
}

export interface YamlText {
  /** Plain objects; undefined or null for an empty text. */
  readonly value: unknown;
  /** Of the key at this path, or of its nearest parent that exists. */
  readonly positionOf: (path: readonly (string | number)[]) => TextPosition;
}

/** Both from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

export interface YamlProblem extends TextPosition {
  readonly problem: string;
}

/** Of a key that whoever checks plain objects passes over, so that what is below it would be dropped without a word. */
function offsetOfLostKey(document: Document): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key) && key.value === LOST_KEY) offset ??= key.range?.[0];
    },
  });
  return offset;
}

const LOST_KEY = '__proto__';

/** An alias that leads nowhere, or to too much, is only found here, and thrown by the YAML library. */
function plainValue(document: Document): Result<unknown, string> {
  try {
    return ok(document.toJS({ maxAliasCount: 100 }));
  } catch (error) {
    if (error instanceof ReferenceError) return failed(firstLine(error.message));
    throw error;
  }
}

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0]!.replace(/ at line \d+, column \d+:?$/, '');
  return shortened(line, MAX_QUOTED_LENGTH);
}

/** The YAML library quotes what it does not understand, all of it. */
const MAX_QUOTED_LENGTH = 200;
