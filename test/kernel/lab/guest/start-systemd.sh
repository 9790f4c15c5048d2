#!/bin/sh
# Process 1 of a laboratory machine with systemd and udev, which the host need not have: they are a layer of the root
# file system. Leaves of the host's configuration what they need, and becomes systemd; the agent is a service then.
# A disk with the serial number "etc" is laid over /etc: what a scenario copied there outlives the machine.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
word() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^$1=//p"; }

modules=/usr/lib/modules/$(uname -r)
mkdir -p "$modules"
mount --bind "$(word lab.modules)" "$modules"
for module in virtio_blk virtio_scsi sd_mod ext4; do modprobe $module; done
echo "$(word lab.hungSeconds)" > /proc/sys/kernel/hung_task_timeout_secs

# A host that is a container is none inside.
rm -f /.dockerenv /run/.containerenv /run/host/container-manager
rm -rf /etc/systemd/system/* /etc/udev/rules.d/* /etc/systemd/*.conf.d
# They would go through all of the host's files, or wait for a network.
for unit in systemd-tmpfiles-setup.service systemd-tmpfiles-clean.timer systemd-sysusers.service \
  systemd-hwdb-update.service systemd-journal-catalog-update.service systemd-journal-flush.service \
  ldconfig.service systemd-update-done.service systemd-timesyncd.service systemd-networkd.service \
  systemd-random-seed.service systemd-pstore.service apparmor.service networking.service; do
  ln -s /dev/null /etc/systemd/system/$unit
done
echo lab > /etc/hostname
: > /etc/fstab
ln -sf /proc/self/mounts /etc/mtab
mkdir -p /persistent-etc /run
for disk in /sys/block/*; do
  [ "$(cat "$disk/serial" 2> /dev/null)" = etc ] && mount "/dev/${disk##*/}" /persistent-etc && cp -a /persistent-etc/. /etc/
done

cat > /etc/systemd/system/lab-agent.service <<UNIT
[Unit]
Description=Agent of the laboratory
After=local-fs.target

[Service]
ExecStart=/usr/bin/env node $(word lab.agent)
StandardError=tty
TTYPath=/dev/ttyS0
UNIT
cat > /etc/systemd/system/lab.target <<UNIT
[Unit]
Description=Laboratory
Requires=basic.target
Wants=lab-agent.service
After=basic.target
UNIT
exec /lib/systemd/systemd --unit=lab.target --show-status=no
