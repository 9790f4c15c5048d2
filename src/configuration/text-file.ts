import { closeSync, openSync, readSync } from 'node:fs';
import { failed, ok, type Result } from '../base/result.js';

/**
 * A text that a person names: a file, or a pipe. A disk or an image that was named by mistake is not read to its end, and not
 * taken for a text.
 */
export function readTextFile(path: string, limitBytes: number): Result<string, TextFileProblem> {
  let bytes: Buffer;
  try {
    bytes = readAtMost(path, limitBytes + 1);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return failed({ code, problem: `can't be read (${code ?? message})` });
  }
  if (bytes.length > limitBytes)
    return failed({ code: undefined, problem: `has more than ${limitBytes} bytes` });
  const text = textOf(bytes);
  return text === undefined ? failed({ code: undefined, problem: 'is no text in UTF-8' }) : ok(text);
}

/** As the end of a sentence about the file; `code`: of the system, where it gave the file not. */
export interface TextFileProblem {
  readonly code: string | undefined;
  readonly problem: string;
}

export function readAtMost(path: string, limitBytes: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    let lengthBytes = 0;
    while (lengthBytes < limitBytes) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, limitBytes - lengthBytes));
      const readBytes = readSync(file, chunk);
      if (readBytes === 0) break;
      chunks.push(chunk.subarray(0, readBytes));
      lengthBytes += readBytes;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(file);
  }
}

const CHUNK_BYTES = 1 << 20;

/** Zeroes, as of an empty image, would be UTF-8; no text has them. */
function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
