import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BootFile } from './set-files.js';
import { unitWord } from './unit-name.js';

/** What the service runs: absolute paths. */
export interface ProgramPaths {
  readonly node: string;
  /** bin/dmremap.js of this package. */
  readonly program: string;
}

/** The files that all sets share, from the package's folder `boot` with the paths of this installation put in. */
export function sharedFiles({ node, program }: ProgramPaths): readonly BootFile[] {
  const unit = template('dm-remap@.service')
    .replaceAll(
      '{{documentation}}',
      encodeURI(fileURLToPath(new URL('docs/boot.md', PACKAGE))).replaceAll('%', '%%'),
    )
    .replaceAll('{{node}}', () => unitWord(node))
    .replaceAll('{{program}}', () => unitWord(program));
  return [
    { path: UNIT_PATH, text: unit },
    { path: RULES_PATH, text: template('61-dm-remap.rules') },
  ];
}

const UNIT_PATH = '/etc/systemd/system/dm-remap@.service';
const RULES_PATH = '/etc/udev/rules.d/61-dm-remap.rules';
export const SHARED_PATHS: readonly string[] = [UNIT_PATH, RULES_PATH];

function template(name: string): string {
  return readFileSync(new URL(`boot/${name}`, PACKAGE), 'utf8');
}

/** From src/boot and from dist/boot alike. */
const PACKAGE = new URL('../../', import.meta.url);
