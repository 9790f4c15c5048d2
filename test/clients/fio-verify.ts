import { runTool } from '../support/run-tool.js';

/**
 * Random writes over all of a region, then everything is read back and its checksums compared; throws, with fio's
 * report, at the first difference or I/O error. Each job has a region of its own behind that of the job before.
 */
export async function fioVerify(uri: string, directory: string, plan: FioPlan): Promise<void> {
  const args = {
    name: 'verify',
    ioengine: 'nbd',
    uri,
    rw: 'randwrite',
    bs: plan.blockBytes,
    iodepth: plan.depth,
    numjobs: plan.jobs,
    size: plan.bytesPerJob,
    offset: plan.offsetBytes ?? 0,
    offset_increment: plan.bytesPerJob,
    randseed: plan.seed,
    verify: 'crc32c',
    do_verify: 1,
    verify_fatal: 1,
    verify_state_save: 0,
    end_fsync: 1,
  };
  const options = Object.entries(args).map(([name, value]) => `--${name}=${value}`);
  await runTool('fio', [...options, '--thread', '--group_reporting'], { directory });
}

export interface FioPlan {
  readonly blockBytes: number;
  readonly depth: number;
  readonly jobs: number;
  readonly bytesPerJob: number;
  readonly offsetBytes?: number;
  readonly seed: number;
}
