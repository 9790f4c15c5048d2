import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fillOnce } from './cache-directory.js';
import { tool } from './tool.js';

/**
 * The path of an archive for this kernel that mounts the host's file system, read-only over 9p, under an overlay in
 * memory, and goes on in there with test/kernel/lab/guest/start.sh. It does all mounting, because its programs need no
 * wire to the host. Made once and kept beside the kernel.
 */
export async function initramfsOf(kernelDirectory: string, modulesDirectory: string): Promise<string> {
  const modules = loadOrder(readFileSync(join(modulesDirectory, 'modules.dep'), 'utf8'), ROOT_MODULES);
  const script = initScript(modules.map((path) => basename(path)));
  const digest = createHash('sha256').update(script).digest('hex').slice(0, 12);
  const directory = join(kernelDirectory, `initramfs-${digest}`);
  if (!existsSync(directory)) {
    await fillOnce(directory, async (unfinished) => {
      writeArchive(
        unfinished,
        script,
        modules.map((path) => join(modulesDirectory, path)),
      );
    });
  }
  return join(directory, ARCHIVE);
}

/** A module after all it depends on; modules.dep lists them as `MODULE: LAST-TO-LOAD ... FIRST-TO-LOAD`. */
export function loadOrder(modulesDep: string, wanted: readonly string[]): string[] {
  const order = new Set<string>();
  for (const line of modulesDep.split('\n')) {
    const [path, dependencies] = line.split(':');
    if (path === undefined || !wanted.includes(basename(path, '.ko'))) continue;
    for (const one of dependencies!.trim().split(' ').reverse()) if (one !== '') order.add(one);
    order.add(path);
  }
  return [...order];
}

function writeArchive(directory: string, script: string, modules: readonly string[]): void {
  const root = join(directory, 'root');
  for (const folder of ['bin', 'modules', 'proc', 'lower', 'over', 'root']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  copyFileSync('/usr/bin/busybox', join(root, 'bin/busybox'));
  for (const path of modules) copyFileSync(path, join(root, 'modules', basename(path)));
  writeFileSync(join(root, 'init'), script, { mode: 0o755 });
  tool('sh', ['-c', `find . | cpio -o -H newc --quiet > ../${ARCHIVE}`], { directory: root });
}

function initScript(moduleFiles: readonly string[]): string {
  return `#!/bin/busybox sh
/bin/busybox --install -s /bin
fail() { echo "laboratory: $1 failed"; poweroff -f; }
${moduleFiles.map((file) => `insmod /modules/${file} || fail "insmod ${file}"`).join('\n')}
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro host /lower || fail 'mounting the host'
mount -t tmpfs tmpfs /over && mkdir /over/upper /over/work
mount -t overlay -o lowerdir=/lower,upperdir=/over/upper,workdir=/over/work overlay /root || fail overlay
mount -t proc proc /root/proc
word() { tr ' ' '\\n' < /root/proc/cmdline | sed -n "s/^$1=//p"; }
mount -t sysfs sysfs /root/sys
mount -t devtmpfs devtmpfs /root/dev
mkdir -p /root/dev/pts /root/dev/shm
mount -t devpts devpts /root/dev/pts
for directory in run dev/shm; do mount -t tmpfs tmpfs /root/$directory; done
mount -t debugfs debugfs /root/sys/kernel/debug
mount -t configfs configfs /root/sys/kernel/config
mkdir -p /root/run/lock /root/run/lab
ln -sf /proc/self/mounts /root/etc/mtab
modules=/root/usr/lib/modules/$(uname -r)
mkdir -p "$modules"
mount --bind "/root$(word lab.modules)" "$modules" || fail 'mounting the modules'
echo "$(word lab.hungSeconds)" > /root/proc/sys/kernel/hung_task_timeout_secs
echo 1 > /root/proc/sys/kernel/sysrq
hostname lab
ifconfig lo up
exec switch_root /root /bin/sh "$(word lab.start)" "$(word lab.agent)" "$(word lab.directory)"
`;
}

const ARCHIVE = 'initramfs.cpio';

/** What is needed to reach the root, and what every machine wants: from here they load without a look over the wire. */
const ROOT_MODULES = [
  ...['9pnet_virtio', '9p', 'overlay', 'virtio_rng', 'configfs', 'virtio_blk', 'virtio_scsi', 'sd_mod'],
  ...['loop', 'dm-mod', 'ublk_drv'],
];
