import { plant } from './breaks/mutate-source.js';
import { PLANTED_BUGS } from './breaks/planted-bugs.js';
import type { CampaignResult, Explanation } from './campaign.js';
import { type Command, HELP, parseCommand } from './command.js';
import { progressLine } from './progress-line.js';

const command = parseCommand(process.argv.slice(2));
if ('mistake' in command) {
  process.stderr.write(`${command.mistake}\n\n${HELP}\n`);
  process.exit(2);
}
if (command.showsHelp) process.stdout.write(`${HELP}\n`);
else if (command.listsBugs) listBugs();
else process.exitCode = await simulate(command);

/** The product is imported only here: a planted bug has to be in place before. */
async function simulate({
  firstSeed,
  seedCount,
  durationMs,
  bug,
  isJson,
  shrinks,
}: Command): Promise<number> {
  if (bug !== undefined) plant(bug);
  const { explain, runCampaign } = await import('./campaign.js');
  process.stderr.write(
    `seeds from ${firstSeed} on${bug === undefined ? '' : `, with ${bug.name}: ${bug.what}`}\n`,
  );
  const progress = progressLine();
  const result = runCampaign({ firstSeed, seedCount, durationMs, progress: progress.show });
  progress.end();
  const explanation = result.failed && explain(result.failed, shrinks);
  process.stdout.write(isJson ? json(firstSeed, result, explanation) : text(result, explanation, bug?.name));
  return result.failed === undefined ? 0 : 1;
}

function listBugs(): void {
  for (const { name, what, from, seeds } of PLANTED_BUGS)
    process.stdout.write(`${name.padEnd(28)} ${what}; within ${seeds} seeds from ${from} on\n`);
}

function json(firstSeed: number, result: CampaignResult, explanation: Explanation | undefined): string {
  const { statistics, seedCount, wallSeconds, cpuSeconds, failed } = result;
  const failedSeed = failed?.plan.seed;
  return `${JSON.stringify({ firstSeed, seedCount, wallSeconds, cpuSeconds, statistics, failedSeed, ...explanation })}\n`;
}

function text(
  { statistics, seedCount, wallSeconds, cpuSeconds, failed }: CampaignResult,
  explanation: Explanation | undefined,
  bugName: string | undefined,
): string {
  const counts = Object.entries(statistics).map(([name, value]) => `${name} ${Math.round(value)}`);
  const rate = Math.round((statistics.requests + statistics.diskIos) / cpuSeconds);
  const lines = [
    `${seedCount} seeds in ${wallSeconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of CPU): ${counts.join(', ')}`,
    `${rate} operations (requests and disk I/Os) per second of CPU`,
  ];
  if (failed === undefined || explanation === undefined) return `${lines.join('\n')}\nno check failed\n`;
  const replay = `npm run sim -- --seed ${failed.plan.seed}${bugName === undefined ? '' : ` --break ${bugName}`}`;
  return [
    ...lines,
    '',
    'last events of the short history:',
    ...explanation.lastEvents,
    '',
    `short history (${explanation.history.length} of ${failed.plan.steps.length} steps) with ${JSON.stringify(explanation.scenario)}:`,
    ...explanation.history.map((line, index) => `${String(index + 1).padStart(4)}  ${line}`),
    '',
    `seed ${failed.plan.seed} FAILED: ${failed.failure.check}: ${failed.failure.message}`,
    `short history: ${explanation.check}: ${explanation.message}`,
    ...(explanation.stack === undefined ? [] : [explanation.stack]),
    `again: ${replay}`,
    '',
  ].join('\n');
}
