/**
 * Makes a checkout ready to run: installs dependencies and compiles, each only if needed. Plain JavaScript without
 * dependencies, because it runs before anything is installed. `npm start` and `npm test` begin with it; it can be run
 * by itself: `node scripts/prepare.js`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectDirectory = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ends the process with a message if the checkout can't be made ready. */
export function prepare() {
  checkNodeVersion();
  if (!isInstalled()) install();
  if (readIfThere(STAMP_FILE) !== sourceHash()) build();
}

function checkNodeVersion() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  giveUp(`Node.js ${process.versions.node} is too old: 20.19 or newer is needed`);
}

/** Everything that package-lock.json demands on every machine is there, in that version. */
function isInstalled() {
  const wanted = JSON.parse(readFileSync(join(projectDirectory, 'package-lock.json'), 'utf8')).packages;
  const text = readIfThere(join(projectDirectory, 'node_modules/.package-lock.json'));
  if (text === undefined) return false;
  const found = JSON.parse(text).packages;
  return Object.entries(wanted).every(([path, { optional, devOptional, version }]) => {
    if (path === '' || ((optional || devOptional) && found[path] === undefined)) return true;
    return found[path]?.version === version;
  });
}

function install() {
  say('installing dependencies (npm ci) ...');
  const ownNpm = process.env.npm_execpath;
  const [command, before] = ownNpm?.endsWith('.js') ? [process.execPath, [ownNpm]] : ['npm', []];
  const args = [...before, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  run(command, args, 'the dependencies could not be installed; is the network there?');
}

function build() {
  say('compiling ...');
  rmSync(join(projectDirectory, 'dist'), { recursive: true, force: true });
  const compiler = join(projectDirectory, 'node_modules/typescript/bin/tsc');
  run(process.execPath, [compiler, '-p', 'tsconfig.build.json'], 'the source does not compile');
  writeFileSync(STAMP_FILE, sourceHash());
}

/** Of everything that decides what the compiler writes. */
function sourceHash() {
  const hash = createHash('sha256');
  const sources = readdirSync(join(projectDirectory, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  for (const path of [...sources, ...settings.map((name) => join(projectDirectory, name))]) {
    hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

function run(command, args, failure) {
  const { status, error } = spawnSync(command, args, { cwd: projectDirectory, stdio: ['ignore', 2, 2] });
  if (status !== 0) giveUp(error === undefined ? failure : `${failure} (${error.message})`);
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** On standard error: standard output belongs to the program that runs afterwards. */
function say(text) {
  process.stderr.write(`dm-remap: ${text}\n`);
}

function giveUp(text) {
  say(text);
  process.exit(1);
}

const STAMP_FILE = join(projectDirectory, 'dist/.source-hash');

if (process.argv[1] === fileURLToPath(import.meta.url)) prepare();
