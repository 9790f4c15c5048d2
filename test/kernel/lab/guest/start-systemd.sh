#!/bin/sh
# Process 1 of a laboratory machine with systemd and udev, which the host need not have: they are a layer of the root
# file system. Leaves of the host's configuration what they need, and becomes systemd; the agent is a service then.
# A disk with the serial number "etc" is laid over /etc: what a scenario copied there outlives the machine.
# Arguments: agent.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

for module in virtio_blk ext4; do modprobe $module; done

# A host that is a container is none inside.
rm -f /.dockerenv /run/.containerenv /run/host/container-manager
rm -rf /etc/systemd/system/* /etc/udev/rules.d/* /etc/systemd/*.conf.d
# Under emulation every process counts, and some would go through all of the host's files.
cd /usr/lib/systemd/system || exit
find sysinit.target.wants sockets.target.wants timers.target.wants local-fs.target.wants -mindepth 1 \
  ! -name '*udev*' ! -name 'systemd-journald*' -delete
find ../system-generators -type f ! -name systemd-fstab-generator -delete
cd /usr/lib/udev/rules.d || exit
find . -type f ! -name '50-udev-default.rules' ! -name '60-block.rules' ! -name '60-persistent-storage.rules' \
  ! -name '64-btrfs.rules' ! -name '99-systemd.rules' -delete
cd /
mkdir -p /etc/systemd/system/systemd-udev-trigger.service.d
cat > /etc/systemd/system/systemd-udev-trigger.service.d/lab.conf <<UNIT
[Service]
ExecStart=
ExecStart=udevadm trigger --subsystem-match=block --action=add
UNIT
echo lab > /etc/hostname
: > /etc/fstab
mkdir -p /persistent-etc
for disk in /sys/block/*; do
  [ "$(cat "$disk/serial" 2> /dev/null)" = etc ] && mount "/dev/${disk##*/}" /persistent-etc && cp -a /persistent-etc/. /etc/
done

cat > /etc/systemd/system/lab-agent.service <<UNIT
[Unit]
Description=Agent of the laboratory
DefaultDependencies=no
After=sysinit.target local-fs.target
Conflicts=shutdown.target
Before=shutdown.target

[Service]
ExecStart=/usr/bin/env node $1
StandardError=tty
TTYPath=/dev/ttyS0
UNIT
cat > /etc/systemd/system/lab.target <<UNIT
[Unit]
Description=Laboratory
Requires=sysinit.target
Wants=lab-agent.service
UNIT
exec /lib/systemd/systemd --unit=lab.target --show-status=no
