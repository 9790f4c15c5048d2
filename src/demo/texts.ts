import { formatCount } from '../base/format-count.js';
import type { DemoFiles } from './demo-files.js';
import type { SectorRange } from './planted-faults.js';

export const HELP = `npm start [-- --once] [--seed N]

Makes ./demo with a disk image full of bad sectors and a spare image, protects the one with the other, serves the
result over NBD and runs a workload on it that compares every byte, with a restart in between. Then it keeps serving,
for trying things by hand, until Ctrl-C.

  --once    end by itself; exit status 0 only if every byte was verified
  --seed N  other bad places and another workload; default 1
`;

export function introduction({ main, spare, faultsFile, uri, faults }: DemoFiles, seed: number): string {
  return `dm-remap demonstration (seed ${seed})

  ${main}      the disk: ${sectors(faults.dead)} dead, ${sectors(faults.pending)} unreadable until written,
                     ${sectors(faults.unwritable)} unwritable, ${sectors(faults.weak)} weak, ${sectors(faults.slow)} slow;
                     its last quarter is full of old data, which is only read
  ${spare}     the spare: ${sectors(faults.spare)} bad
  ${faultsFile}   where they are; the images are plain files, the errors are injected
  ${uri}   the device; the workload below uses it like any other client

`;
}

/** Commands to go on by hand, while it serves and afterwards. */
export function nextSteps({ main, spare, faultsFile, uri }: DemoFiles): string {
  return `
It is still being served. In another terminal, in this directory (the first three need libnbd-bin or qemu-utils):
  nbdinfo "${uri}"
  nbdinfo --map=x-dm-remap:state "${uri}"
  qemu-io -f raw -c "write -P 7 0 1M" -c "read -P 7 0 1M" "${uri}"

Press Ctrl-C to stop it. Afterwards:
  node bin/dmremap.js inspect ${spare}
  node bin/dmremap.js remaps ${spare}
  node bin/dmremap.js export ${spare} --dm-table --main ${main}
  node bin/dmremap.js run --main ${main} --spare ${spare} --faults ${faultsFile} --nbd "${uri}"
`;
}

function sectors(ranges: readonly SectorRange[]): string {
  return formatCount(
    ranges.reduce((sum, { count }) => sum + count, 0),
    'sector',
  );
}
