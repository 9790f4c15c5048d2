import { withoutControls } from '../base/without-controls.js';
import { DmRemapError, type FailureClass } from '../library/errors.js';
import { exitStatusOf } from './exit-status.js';
import { type Output, writeJson } from './output.js';

/**
 * One line on standard error. What is no `DmRemapError` is a bug of ours: a request to report it, and the stack only
 * where somebody asked for it (`DMREMAP_DEBUG=1`).
 */
export function reportError(error: unknown, output: Output, isDebug: boolean): void {
  if (error instanceof DmRemapError) {
    output.write(`dmremap: ${oneLine(error.message)}\n`);
    return;
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  output.write(
    `dmremap: a bug in dm-remap, please report it (DMREMAP_DEBUG=1 shows where it is): ${oneLine(text)}\n`,
  );
  if (isDebug && error instanceof Error) output.write(`${error.stack ?? ''}\n`);
}

/** The same on standard output, for a program that asked for JSON. */
export function reportErrorAsJson(error: unknown, output: Output): void {
  writeJson(output, { error: errorDocument(error) });
}

export function errorDocument(error: unknown): ErrorDocument {
  const failure = error instanceof DmRemapError ? error.failure : 'bug';
  const message = oneLine(error instanceof Error ? error.message : String(error));
  return { failure, status: exitStatusOf(error), message };
}

export interface ErrorDocument {
  readonly failure: FailureClass | 'bug';
  readonly status: number;
  /** One line. */
  readonly message: string;
}

/** Texts of files and disks may be in it, with what a terminal would obey. */
function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s*\n\s*/g, '; ');
  return withoutControls(line);
}
