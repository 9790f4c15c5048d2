import { DmRemapError } from '../library/errors.js';
import type { Output } from './output.js';

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

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, '; ');
}
