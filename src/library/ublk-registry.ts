import { readdirSync } from 'node:fs';
import { findSuperblock } from '../device/find-superblock.js';
import { formatUuid } from '../format/set-id.js';
import type { UblkControl } from '../kernel/ublk-control.js';
import type { UblkDeviceInfo } from '../kernel/ublk-device-info.js';
import { OfflineSession } from '../runtime/offline-session.js';

/** The ublk device that serves, or served last, the set with this tag. */
export async function findUblkDevice(
  control: UblkControl,
  serverTag: bigint,
): Promise<UblkDeviceInfo | undefined> {
  for (const deviceId of ublkDeviceIds()) {
    const info = await control.info(deviceId);
    if (info.ok && info.value.serverTag === serverTag) return info.value;
  }
  return undefined;
}

/**
 * What marks a set's ublk device: the first 8 bytes of its id, which the driver keeps when the server is gone. Undefined
 * where the spares do not show one set yet; opening them will say why.
 */
export async function serverTagOf(spares: readonly string[]): Promise<bigint | undefined> {
  const opened = OfflineSession.open(spares.map((path) => ({ path, readOnly: true })));
  if (!opened.ok) return undefined;
  const session = opened.value;
  try {
    const devices = session.geometries.map(({ sizeBytes }, target) => ({ target, sizeBytes }));
    const { memory, bufferOffset } = session;
    const found = await session.run(findSuperblock({ devices, memory, bufferOffset }));
    return found.ok ? serverTagOfSetId(formatUuid(found.value.superblock.setId)) : undefined;
  } finally {
    session.close();
  }
}

/** `setId`: a UUID as text. */
export function serverTagOfSetId(setId: string): bigint {
  return BigInt(`0x${setId.replaceAll('-', '').slice(0, 16)}`);
}

/** Every device that the driver knows, with a server or without. */
export function ublkDeviceIds(): number[] {
  const names = readdirSync('/dev');
  return names.flatMap((name) => /^ublkc(\d+)$/.exec(name)?.[1] ?? []).map(Number);
}

export function charPath(deviceId: number): string {
  return `/dev/ublkc${deviceId}`;
}

export function blockPath(deviceId: number): string {
  return `/dev/ublkb${deviceId}`;
}
