import type { DumpProblem, Statement } from './dump-statement.js';

/** Takes the values of one statement, notes what is missing or wrong, and in the end what nobody asked for. */
export class DumpFields {
  readonly #statement: Statement;
  readonly #taken = new Set<string>();
  /** The first thing that is wrong. */
  problem: DumpProblem | undefined;

  constructor(statement: Statement) {
    this.#statement = statement;
  }

  /** What `read` makes of a value; `otherwise` if it is not given; undefined, and a problem, if it is wrong. */
  take<Value>(
    key: string,
    expected: string,
    read: (text: string) => Value | undefined,
    otherwise?: Value,
  ): Value | undefined {
    this.#taken.add(key);
    const text = this.#statement.values.get(key);
    if (text === undefined) {
      if (otherwise === undefined) this.refuse(`${key}= is missing`);
      return otherwise;
    }
    const value = read(text);
    if (value === undefined) this.refuse(`${key}=${text}: expected ${expected}`);
    return value;
  }

  /** A whole number from 0 to `maximum`. */
  number(key: string, maximum: number, otherwise?: number): number | undefined {
    const expected = `a whole number from 0 to ${maximum}`;
    return this.take(key, expected, (text) => numberIn(text, maximum), otherwise);
  }

  refuse(message: string): void {
    this.problem ??= { line: this.#statement.line, message };
  }

  /** Undefined if every value was asked for and is right. */
  end(): DumpProblem | undefined {
    for (const key of this.#statement.values.keys())
      if (!this.#taken.has(key)) this.refuse(`${key}= has no meaning here`);
    return this.problem;
  }
}

/** Undefined if it is not a whole number from 0 to `maximum`. */
export function numberIn(text: string, maximum: number): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= maximum ? value : undefined;
}
