import { resolve } from 'node:path';

/** The program under test: of this checkout, or another one named by `DMREMAP_PROGRAM` (an installed package). */
export function dmremapProgram(): string {
  return resolve(process.env.DMREMAP_PROGRAM ?? 'bin/dmremap.js');
}
