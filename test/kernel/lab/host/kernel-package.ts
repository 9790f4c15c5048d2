import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KernelName } from '../kernel-name.js';
import { tool } from './tool.js';

/**
 * Downloads Debian's package of a kernel and unpacks it into `directory`; nothing is installed. The package lists are
 * kept apart from the machine's own, so any Debian-like machine can fetch any suite's kernel. Answers with the
 * package's name.
 */
export function unpackKernelPackage(name: KernelName, directory: string): string {
  const work = mkdtempSync(join(tmpdir(), 'dm-remap-lab-apt-'));
  try {
    const env = { APT_CONFIG: writeConfiguration(work, name) };
    tool('apt-get', ['update', '-qq'], { env });
    const packageName = newest(tool('apt-cache', ['pkgnames', 'linux-image-'], { env }), name);
    tool('apt-get', ['download', '-qq', packageName], { env, directory: work });
    const file = readdirSync(work).find((entry) => entry.endsWith('.deb'))!;
    tool('dpkg', ['-x', join(work, file), directory]);
    return packageName;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The full flavour: the cloud one lacks scsi_debug and others. */
function newest(packageNames: string, name: KernelName): string {
  const pattern = new RegExp(`^linux-image-${name.replace('.', '\\.')}\\.(\\d+)\\+deb\\d+-amd64$`);
  const found = packageNames
    .split('\n')
    .filter((line) => pattern.test(line))
    .sort((a, b) => Number(pattern.exec(a)![1]) - Number(pattern.exec(b)![1]));
  if (found.length === 0) throw new Error(`no package of kernel ${name} in ${SOURCE_OF_KERNEL[name]}`);
  return found[found.length - 1]!;
}

/** apt's configuration files of the machine stay in force: a proxy may be there. */
function writeConfiguration(work: string, name: KernelName): string {
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${KEYRING}] ${SOURCE_OF_KERNEL[name]} main\n`);
  const settings = {
    'Dir::State': join(work, 'state'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(work, 'cache'),
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  };
  const path = join(work, 'apt.conf');
  writeFileSync(
    path,
    Object.entries(settings)
      .map(([key, value]) => `${key} "${value}";\n`)
      .join(''),
  );
  return path;
}

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

const SOURCE_OF_KERNEL = {
  '6.12': 'http://deb.debian.org/debian-security bookworm-security',
  '6.18': 'http://deb.debian.org/debian trixie-backports',
} as const satisfies Record<KernelName, string>;
