import { listeningPlace } from '../frontends/nbd/listening-place.js';
import { parseNbdUri } from '../frontends/nbd/uri.js';
import type { SetText } from './configuration-schema.js';

/**
 * What a set claims for itself alone, with the key that says so. Only the texts of paths are compared: that two names lead to
 * one disk is known where the disks are.
 */
export interface Claim {
  readonly kind: 'disk' | 'place' | 'name';
  /** The path of the disk, the place where it is served, or its name. */
  readonly what: string;
  readonly keys: readonly (string | number)[];
}

export function claimsOf(setKey: string, set: SetText): Claim[] {
  const { main, spares, name, frontends } = set;
  const own = ['sets', setKey];
  return [
    { kind: 'disk', what: main, keys: [...own, 'main'] },
    ...spares.map((what, index): Claim => ({ kind: 'disk', what, keys: [...own, 'spares', index] })),
    { kind: 'name', what: name ?? setKey, keys: name === undefined ? own : [...own, 'name'] },
    ...(frontends?.nbd ?? []).flatMap((uri, index): Claim[] => {
      const what = placeOf(uri);
      return what === undefined ? [] : [{ kind: 'place', what, keys: [...own, 'frontends', 'nbd', index] }];
    }),
  ];
}

/** What is wrong where the same set has made it before. */
export function claimedTwice({ kind, what }: Claim): string {
  const rule = kind === 'disk' ? 'main device and spares must all differ' : 'a set is served there once';
  return `${what} is named twice; ${rule}`;
}

/** What is wrong where another set has made it; `where`: the line. */
export function claimedBefore({ kind, what }: Claim, set: string, where: string): string {
  switch (kind) {
    case 'disk':
      return `${what} is a disk of ${set} already (${where}); a disk belongs to one set`;
    case 'place':
      return `${what} is where ${set} is served already (${where}); give this set another place`;
    case 'name':
      return `"${what}" is the name of ${set} already (${where}); give this set another name`;
  }
}

function placeOf(uri: string): string | undefined {
  const parsed = parseNbdUri(uri);
  return parsed.ok ? listeningPlace(parsed.value.address) : undefined;
}
