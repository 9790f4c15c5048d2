import { expect, it } from 'vitest';
import { jobSchema } from '../../control/schema/jobs.js';
import { evacuationReport } from '../testing/evacuation-report.js';
import { evacuationJob } from './evacuation-job.js';
import { Pace } from './pace.js';

it('a copying that was gone on with, and of which something is stale, is a job of the schema', () => {
  let now = 0;
  const pace = new Pace(() => now);
  pace.run();
  now = 10_000;
  const report = evacuationReport({ beginning: 'position', beginningBytes: 50 << 20, copiedBytes: 40 << 20 });
  const job = evacuationJob(report, pace);
  expect(() => jobSchema.parse(job)).not.toThrow();
});
