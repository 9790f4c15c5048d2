import { resolve } from 'node:path';
import { failed, ok, type Result } from '../base/result.js';
import type { Member } from './boot-set.js';
import type { Machine } from './machine.js';
import { ownLinks, stablePath } from './stable-name.js';

export interface NamedMember {
  readonly member: Member;
  /** One line for a person, where the path is not the one that was given. */
  readonly note: string | undefined;
}

/** Finds the name under which a disk can be found after the next boot. One line says why there is none. */
export function nameMember(given: string, machine: Machine, force: boolean): Result<NamedMember, string> {
  const device = machine.blockDevice(given);
  if (device === undefined) return nameImage(given, force);
  const links = ownLinks(device.links);
  const path = stablePath(given, links);
  const { kernelName, isPartition } = device;
  if (path === undefined) {
    const reason =
      'has no name in /dev/disk/by-id or the like, and may be called differently after the next boot';
    const kernelPath = `/dev/${kernelName}`;
    return unstable(given, reason, { path: kernelPath, device: { kernelName, isPartition, links } }, force);
  }
  const note = path === given ? undefined : `${given} is written down as ${path}${warning(path)}`;
  return ok({ member: { path, device: { kernelName, isPartition, links } }, note });
}

/** Image files: for trying it out. systemd splits SPARES at blanks. */
function nameImage(given: string, force: boolean): Result<NamedMember, string> {
  const path = resolve(given);
  if (/[\s"'\\$]/.test(path))
    return failed(`${path}: blanks, quotes, \\ and $ don't survive systemd's reading`);
  return unstable(given, 'is no block device', { path, device: null }, force);
}

function unstable(
  given: string,
  reason: string,
  member: Member,
  force: boolean,
): Result<NamedMember, string> {
  if (!force) return failed(`${given} ${reason}; --force takes it anyway`);
  return ok({ member, note: `${given} ${reason}` });
}

function warning(path: string): string {
  return path.startsWith('/dev/disk/by-path/')
    ? ', the socket that it is plugged into: it has no serial number'
    : '';
}
