/** `npm run bench -- NAME [OPTIONS]`: makes the checkout ready, compiles the benchmarks and runs one. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare, projectDirectory } from './prepare.js';

prepare();
run([join(projectDirectory, 'node_modules/typescript/bin/tsc'), '-p', 'bench/tsconfig.json']);
run([join(projectDirectory, 'node_modules/.cache/dm-remap-bench/bench/main.js'), ...process.argv.slice(2)]);

/** Ends this process where the other one failed. */
function run(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: projectDirectory, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
