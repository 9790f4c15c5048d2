import { expect, it } from 'vitest';
import { jobSchema } from '../../control/schema/jobs.js';
import { jobProgressText } from '../job-text.js';
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

it('a copying that looks first whether what was copied is still there says so', () => {
  const report = evacuationReport({ pass: 'comparing', copiedBytes: 50 << 20, beginningBytes: 50 << 20 });
  const job = evacuationJob(report, new Pace(() => 0));
  expect(job.isComparing).toBe(true);
  expect(jobProgressText(job)).toBe('50 MiB of 100 MiB (50 %), comparing what was copied before');
  const copying = evacuationJob({ ...report, pass: 'forward' }, new Pace(() => 0));
  expect(jobProgressText(copying)).toBe('50 MiB of 100 MiB (50 %)');
});
