import { failed, ok, type Result } from '../base/result.js';

/** One line of a dump: `word [index] key=value ...`. */
export interface Statement {
  /** From 1. */
  readonly line: number;
  readonly word: string;
  /** The number behind the word, where there is one. */
  readonly index: string | undefined;
  readonly values: ReadonlyMap<string, string>;
}

/** A line that can't be understood or must not be believed. */
export interface DumpProblem {
  readonly line: number;
  /** What is wrong, as the end of a sentence about the line. */
  readonly message: string;
}

/** Undefined for an empty line or a comment. Texts in double quotes are JSON strings. */
export function parseStatement(text: string, line: number): Result<Statement | undefined, DumpProblem> {
  const problem = (message: string) => failed({ line, message });
  const values = new Map<string, string>();
  const bare: string[] = [];
  for (let at = skipBlanks(text, 0); at < text.length && text[at] !== '#'; at = skipBlanks(text, at)) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) return problem(`can't be understood from column ${at + 1} on`);
    at = TOKEN.lastIndex;
    const [, key, quoted, plain] = match;
    const value = quoted === undefined ? plain! : unquoted(quoted);
    if (value === undefined) return problem(`the text ${quoted} is not written as in JSON`);
    if (key === undefined) bare.push(value);
    else if (values.has(key)) return problem(`${key} is given twice`);
    else values.set(key, value);
  }
  const [word, index] = bare;
  if (word === undefined) return values.size === 0 ? ok(undefined) : problem('does not say what it is about');
  return bare.length > 2 ? problem(`"${bare[2]}" has no meaning here`) : ok({ line, word, index, values });
}

/** `key="..."`, `key=value`, `"..."` or `value`. */
const TOKEN = /(?:([a-z-]+)=)?(?:("(?:[^"\\]|\\.)*")|([^\s"#=]+))(?=[\s#]|$)/y;

function skipBlanks(text: string, at: number): number {
  let next = at;
  while (next < text.length && /\s/.test(text[next]!)) next += 1;
  return next;
}

function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    // Not JSON: the caller names the line.
    return undefined;
  }
}
