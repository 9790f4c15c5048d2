import { hotPathBench } from './hot-path.js';
import { nbdBench } from './nbd.js';
import { recoveryBench } from './recovery.js';
import { ublkBench } from './ublk.js';

/** `npm run bench -- NAME [OPTIONS]`. */
const BENCHES: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  'hot-path': hotPathBench,
  nbd: nbdBench,
  recovery: recoveryBench,
  ublk: ublkBench,
};

const [name, ...args] = process.argv.slice(2);
const bench = name === undefined || !Object.hasOwn(BENCHES, name) ? undefined : BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`usage: npm run bench -- NAME [OPTIONS]; NAME: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await bench(args);
}
