import { parseArgs } from 'node:util';
import { exitStatusOf } from '../cli/exit-status.js';
import { outputTo } from '../cli/output.js';
import { reportError } from '../cli/report-error.js';
import { stopSignalsOf } from '../cli/stop-signals.js';
import { DmRemapError } from '../library/errors.js';
import { makeDemoFiles } from './demo-files.js';
import { Demonstration } from './demonstration.js';
import { HELP, introduction, nextSteps } from './texts.js';

const WORK_SECONDS = 12;
const DEFAULT_SEED = 1;

/** `npm start [-- --once]`: a demonstration on images in ./demo. */
const output = outputTo(process.stdout, process.env);

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (error: unknown) => {
    reportError(error, outputTo(process.stderr, process.env), process.env.DMREMAP_DEBUG === '1');
    process.exit(exitStatusOf(error));
  },
);

async function main(commandLine: readonly string[]): Promise<number> {
  const { once, help, seed } = parseCommandLine(commandLine);
  if (help) {
    output.write(HELP);
    return 0;
  }
  const files = makeDemoFiles('demo', seed);
  output.write(introduction(files, seed));
  let isInterrupted = false;
  const stopped = stopSignalsOf(process).next();
  stopped.then(() => {
    isInterrupted = true;
  });
  const options = { files, seed, output, workSeconds: WORK_SECONDS, isInterrupted: () => isInterrupted };
  const demonstration = await Demonstration.start(options);
  const isRight = await demonstration.run();
  if (!once && !isInterrupted) {
    output.write(nextSteps(files));
    await stopped;
  }
  await demonstration.close();
  return isRight ? 0 : 1;
}

function parseCommandLine(commandLine: readonly string[]): { once: boolean; help: boolean; seed: number } {
  try {
    const { values } = parseArgs({
      args: [...commandLine],
      options: { once: { type: 'boolean' }, help: { type: 'boolean' }, seed: { type: 'string' } },
    });
    const seed = Number(values.seed ?? DEFAULT_SEED);
    if (!Number.isSafeInteger(seed) || seed < 0) throw new TypeError('--seed must be a whole number');
    return { once: values.once ?? false, help: values.help ?? false, seed };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new DmRemapError('usage', `${error.message.replace(/\. .*$/, '')}; see npm start -- --help`);
  }
}
