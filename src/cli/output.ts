import { fstatSync, writeSync } from 'node:fs';

/** One of the two output streams, as a command sees it. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Escape sequences for colour are wanted: a terminal, and not NO_COLOR (https://no-color.org). */
  readonly hasColour: boolean;
  readonly columns: number;
}

/** `failed` hears of a file that takes no more, as on a full disk. */
export function outputTo(
  stream: NodeJS.WriteStream & { readonly fd: number },
  environment: NodeJS.ProcessEnv,
  failed: (error: NodeJS.ErrnoException) => void = () => {},
): Output {
  const isTerminal = stream.isTTY === true;
  const isPlain = (environment.NO_COLOR ?? '') !== '' || environment.TERM === 'dumb';
  return {
    isTerminal,
    hasColour: isTerminal && !isPlain,
    write:
      isTerminal || isPipe(stream.fd) ? (text) => void stream.write(text) : wholeWriter(stream.fd, failed),
    get columns() {
      return isTerminal && stream.columns > 0 ? stream.columns : PLAIN_COLUMNS;
    },
  };
}

export type Colour = 'red' | 'yellow' | 'green' | 'bold' | 'dim';

export function coloured(output: Output, colour: Colour, text: string): string {
  return output.hasColour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}

/** The answer of every reading command for programs: one JSON document with the version of its shape. */
export function writeJson(output: Output, value: Readonly<Record<string, unknown>>): void {
  output.write(`${JSON.stringify({ version: 1, ...value }, null, 2)}\n`);
}

/** The answer of a command whose document has a schema of its own (`answer-schemas.ts`). */
export function writeAnswer<Answer extends { readonly version: 1 }>(
  output: Output,
  value: Omit<Answer, 'version'>,
): void {
  writeJson(output, value);
}

function isPipe(file: number): boolean {
  const stats = fstatSync(file);
  return stats.isFIFO() || stats.isSocket();
}

/** Node's own stream takes a write that a full disk has cut short for a whole one. */
function wholeWriter(file: number, failed: (error: NodeJS.ErrnoException) => void): Output['write'] {
  return (text) => {
    const bytes = Buffer.from(text);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    } catch (error) {
      failed(error as NodeJS.ErrnoException);
    }
  };
}

const PLAIN_COLUMNS = 100;
const CODES: Readonly<Record<Colour, number>> = { red: 31, yellow: 33, green: 32, bold: 1, dim: 2 };
