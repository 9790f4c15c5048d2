import { runPlan, planOf } from './run-seed.js';
import { newStatistics } from './statistics.js';
const statistics = newStatistics();
const from = Number(process.argv[2] ?? 1), count = Number(process.argv[3] ?? 1);
const t = Date.now();
const seen = new Map<string, number>();
for (let seed = from; seed < from + count; seed++) {
  const plan = planOf(seed);
  const log = process.argv[4] === 'log' ? (l: string) => console.log(l) : undefined;
  const f = runPlan(plan, statistics, log);
  if (f) {
    const key = f.check + ': ' + f.message.replace(/\d+/g, 'N').slice(0, 110);
    if (!seen.has(key)) console.log(seed, f.check, f.message.slice(0,300), f.check === 'invariant' ? f.stack.split('\n').slice(1, 6).join('\n') : '');
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
}
console.log([...seen].sort((a,b)=>b[1]-a[1]));
const s = (Date.now() - t) / 1000;
console.log(statistics, s, 's', Math.round(statistics.requests / s), 'requests/s', Math.round(statistics.diskIos / s), 'ios/s');
