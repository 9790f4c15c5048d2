import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { KERNEL_NAMES, type KernelName } from '../kernel-name.js';
import type { Frontend } from '../scenario.js';
import { type FoundScenario, findScenarios } from './find-scenarios.js';
import { jobsOf } from './jobs.js';
import { kernel } from './kernel.js';
import { installMissingPackages } from './packages.js';
import { runAll } from './run-all.js';
import { shell } from './shell.js';
import { removeStaleWorkDirectories } from './work-directory.js';

const USAGE = `npm run test:kernel [-- NAME...] [OPTION...]   the suite, or the scenarios named, on all their kernels
npm run lab -- NAME... [OPTION...]             the same, one at a time, with console and steps shown
npm run lab -- shell [--kernel K]              a shell inside a machine
npm run lab -- list                            the scenarios
npm run lab -- prepare                         only fetches what machines need

  --all           the suite with the scenarios that are left out of it because they take long
  --kernel K      only this one of ${KERNEL_NAMES.join(', ')}
  --frontend F    only this one of ublk, nbd
  --jobs N        machines at the same time; default: processors
  --seed N        for everything random; default: a new one
`;

const OPTIONS = {
  all: { type: 'boolean' },
  kernel: { type: 'string' },
  frontend: { type: 'string' },
  jobs: { type: 'string' },
  seed: { type: 'string' },
  help: { type: 'boolean' },
} as const;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  const [verb, ...names] = positionals;
  if (verb === undefined || values.help) return say(USAGE);
  removeStaleWorkDirectories();
  if (verb === 'list') return list();
  installMissingPackages();
  const kernels = kernelsOf(values.kernel);
  if (verb === 'prepare') return fetchKernels(kernels);
  if (verb === 'shell') return shell(kernels[0]!).then(() => 0);
  const isSuite = verb === 'test';
  const found = await findScenarios(isSuite ? names : positionals);
  const { jobs, leftOut } = jobsOf(found, {
    kernels,
    frontend: values.frontend as Frontend | undefined,
    isSuite: isSuite && names.length === 0 && values.all !== true,
  });
  for (const line of leftOut) say(`${line}\n`);
  return runAll(jobs, {
    seed: values.seed === undefined ? randomInt(1, 2 ** 31) : Number(values.seed),
    machineCount: values.jobs === undefined ? (isSuite ? availableParallelism() : 1) : Number(values.jobs),
    show: !isSuite,
  });
}

function kernelsOf(wanted: string | undefined): readonly KernelName[] {
  if (wanted === undefined) return KERNEL_NAMES;
  const known = KERNEL_NAMES.find((name) => name === wanted);
  if (known === undefined) throw new Error(`no kernel ${wanted}; there are: ${KERNEL_NAMES.join(' ')}`);
  return [known];
}

async function fetchKernels(names: readonly KernelName[]): Promise<number> {
  for (const name of names) await kernel(name);
  return 0;
}

async function list(): Promise<number> {
  return say((await findScenarios()).map(describe).join(''));
}

function describe(found: FoundScenario): string {
  const { scenario } = found;
  const where = [...scenario.kernels, ...(scenario.frontends ?? [])].join(' ');
  const leftOut = jobsOf([found], { kernels: [], frontend: undefined, isSuite: true }).leftOut;
  return `${scenario.name.padEnd(28)} ${where}\n    ${scenario.about}\n${leftOut.map((line) => `    ${line}\n`).join('')}`;
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}
