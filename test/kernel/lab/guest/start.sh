#!/bin/sh
# Process 1 of a laboratory machine, after the initramfs (test/kernel/lab/host/initramfs.ts) mounted everything:
# runs the agent, or without one a shell on the console; then switches off. Arguments: agent, working directory.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux

if [ -n "$1" ]; then
  node "$1"
  echo "laboratory: the agent ended with status $?"
else
  cd "$2" && setsid -c sh -l < /dev/ttyS0 > /dev/ttyS0 2>&1
fi
echo o > /proc/sysrq-trigger
sleep 10
