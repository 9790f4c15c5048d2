import { unreachable } from '../base/assert.js';
import type { ModuleFinding } from '../format/import/find-module-record.js';
import type { ModuleLayout } from './import-types.js';

/** The name of a layout, and what can be had from it, in one line. */
export function describeModuleLayout(finding: ModuleFinding): {
  readonly layout: ModuleLayout;
  readonly explanation: string;
} {
  switch (finding.kind) {
    case 'v4':
      return { layout: 'v4.2', explanation: 'the record of version 4.2 of the kernel module' };
    case 'v3':
      return {
        layout: 'v3',
        explanation: 'the record of version 3 of the kernel module, which no checksum protects',
      };
    case 'damagedV4':
      return {
        layout: 'damaged v4',
        explanation: `a record of version 4 of the kernel module, but none of its five copies is valid; nothing can be imported${
          finding.copies.some(({ state }) => state === 'badChecksum') ? `; ${BAD_CHECKSUM}` : ''
        }`,
      };
    case 'earlyV4':
      return {
        layout: 'v4.0 or v4.1',
        explanation:
          'pages of version 4.0 or 4.1 of the kernel module, which never wrote its remaps down; there is nothing to import',
      };
    case 'script':
      return { layout: 'script record', explanation: scriptExplanation(finding.record) };
    case 'unusableV3':
      return {
        layout: 'unusable v3',
        explanation: `a header of version 3 of the kernel module, but ${V3_PROBLEMS[finding.problem]}; nothing can be imported`,
      };
    case 'nothing':
      return {
        layout: 'none',
        explanation: finding.isReadable
          ? 'no record of the dm-remap kernel module (if it is a spare of this dm-remap, use "dmremap inspect")'
          : 'no record of the dm-remap kernel module in what could be read; some places could not be, or the device ends before them',
      };
    default:
      return unreachable(finding);
  }
}

function scriptExplanation({ mainPath, sparePath }: { mainPath: string; sparePath: string }): string {
  const paths = mainPath === '' && sparePath === '' ? '' : ` (${mainPath || '?'} and ${sparePath || '?'})`;
  return (
    `the record of the module's shell tool dm-remap-write-metadata, which names a pair of devices${paths} and no ` +
    'remaps; there is nothing to import'
  );
}

/** Versions 4.0 and 4.1 summed bytes that never reached the disk, and changed the copy's number afterwards. */
export const BAD_CHECKSUM =
  'a bad checksum means damage, or a page of version 4.0 or 4.1, whose checksums never fit and which holds no remaps';

const V3_PROBLEMS = {
  unreadable: 'it or its entries cannot be read',
  otherVersion: 'of a version that is not known',
  badCount: 'its number of entries is more than it has room for',
} as const;
