#!/bin/sh
# Process 1 of a laboratory machine, after the root file system is there: mounts the rest, then runs the agent (or a
# shell). Its parameters come from the kernel's command line (test/kernel/lab/host/qemu-command.ts).
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for directory in /run /dev/shm; do mount -t tmpfs tmpfs $directory; done
mount -t debugfs debugfs /sys/kernel/debug
mkdir -p /run/lock /run/lab
ln -sf /proc/self/mounts /etc/mtab

word() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^$1=//p"; }
modules=/usr/lib/modules/$(uname -r)
mkdir -p "$modules"
mount --bind "$(word lab.modules)" "$modules"
modprobe configfs
mount -t configfs configfs /sys/kernel/config
modprobe virtio_blk
modprobe virtio_scsi
modprobe sd_mod
echo "$(word lab.hungSeconds)" > /proc/sys/kernel/hung_task_timeout_secs
hostname lab
ip link set lo up 2> /dev/null || ifconfig lo up 2> /dev/null || busybox ifconfig lo up

agent=$(word lab.agent)
if [ -n "$agent" ]; then
  node "$agent"
  echo "laboratory: the agent ended with status $?"
else
  cd "$(word lab.directory)" || exit
  setsid -c sh -l < /dev/ttyS0 > /dev/ttyS0 2>&1
fi
echo 1 > /proc/sys/kernel/sysrq
echo o > /proc/sysrq-trigger
sleep 10
