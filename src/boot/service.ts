import type { Machine } from './machine.js';

/** Whether systemd has the service of this set running now. */
export function isServiceActive(machine: Machine, name: string): boolean {
  return machine.run('systemctl', ['is-active', '--quiet', serviceUnit(name)]).status === 0;
}

export function serviceUnit(name: string): string {
  return `dm-remap@${name}.service`;
}

/** The link that `systemctl enable` makes for WantedBy=sysinit.target. */
export function enablingLink(name: string): string {
  return `/etc/systemd/system/sysinit.target.wants/${serviceUnit(name)}`;
}
