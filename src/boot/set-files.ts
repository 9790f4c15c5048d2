import type { BootSet } from './boot-set.js';
import { memberRules } from './member-rules.js';
import { blockDeviceTarget, deviceUnit } from './unit-name.js';

/** A file to be, by its path on the running system. */
export interface BootFile {
  readonly path: string;
  readonly text: string;
}

/** Everything that is written for one set, beside what all sets share. */
export function setFiles(set: BootSet): readonly BootFile[] {
  const paths = setPaths(set.name);
  return [
    { path: paths.environment, text: environmentText(set) },
    { path: paths.dropIn, text: dropInText(set) },
    { path: paths.rules, text: memberRules(set) },
  ];
}

export function setPaths(name: string): { environment: string; dropIn: string; rules: string } {
  return {
    environment: `${CONFIGURATION_DIRECTORY}/${name}.env`,
    dropIn: `/etc/systemd/system/dm-remap@${name}.service.d/members.conf`,
    rules: `/etc/udev/rules.d/61-dm-remap-${name}.rules`,
  };
}

/** One `NAME.env` for each set. */
export const CONFIGURATION_DIRECTORY = '/etc/dm-remap';

/** The values in an environment file of ours; '' for those that it lacks. */
export function parseEnvironment(text: string): Readonly<Record<'MAIN' | 'SPARES' | 'OPTIONS', string>> {
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  return { MAIN: value('MAIN'), SPARES: value('SPARES'), OPTIONS: value('OPTIONS') };
}

function environmentText({ name, setId, main, spares, options }: BootSet): string {
  return [
    `# dm-remap set "${name}" (${setId}), for dm-remap@${name}.service.`,
    `# Written by "dmremap boot enable ${name}", which also writes the udev rules: use it to change disks.`,
    `MAIN=${main.path}`,
    '# Each spare with --spare before it.',
    `SPARES=${spares.map(({ path }) => `--spare ${path}`).join(' ')}`,
    '# More options of "dmremap run", separated by blanks.',
    `OPTIONS=${options.join(' ')}`,
    '',
  ].join('\n');
}

/** Wants, not Requires: a restart after a crash must not wait for a disk that is gone for good. */
function dropInText({ name, main, spares }: BootSet): string {
  const units = [main, ...spares].filter(({ device }) => device !== null).map(({ path }) => deviceUnit(path));
  const target = blockDeviceTarget(`/dev/dm-remap/${name}`);
  return [
    `# Written by "dmremap boot enable ${name}".`,
    '[Unit]',
    ...(units.length === 0
      ? []
      : ['# Waits for the disks, then starts anyway and says what is missing.', ...both(units)]),
    '# Users of the device come after it, and are gone before it is.',
    `Wants=${target}`,
    `Before=${target}`,
    '',
  ].join('\n');
}

function both(units: readonly string[]): string[] {
  return [`Wants=${units.join(' ')}`, `After=${units.join(' ')}`];
}
