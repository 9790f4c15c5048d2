/**
 * `npm run test:kernel`, `npm run lab -- WHAT`: makes the checkout ready, compiles the laboratory (test/kernel) and
 * starts it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare, projectDirectory } from './prepare.js';

prepare();
run([join(projectDirectory, 'node_modules/typescript/bin/tsc'), '-p', 'test/kernel/tsconfig.json']);
// In this process: signals of a terminal or a CI runner reach the laboratory itself.
process.chdir(projectDirectory);
await import('../dist/lab/test/kernel/lab/host/main.js');

/** Ends this process where the other one failed. */
function run(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: projectDirectory, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
