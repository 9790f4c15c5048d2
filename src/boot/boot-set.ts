/** One set as it is started at boot: what its files in /etc say. */
export interface BootSet {
  /** The instance of dm-remap@.service, and the device's name in /dev/dm-remap. */
  readonly name: string;
  readonly setId: string;
  readonly main: Member;
  readonly spares: readonly Member[];
  /** More options for `dmremap run`, one word each. */
  readonly options: readonly string[];
}

/** A disk of a set, under a name that it still has after the next boot. */
export interface Member {
  /** What the daemon opens. */
  readonly path: string;
  /** How udev knows it; null for an image file. */
  readonly device: MemberDevice | null;
}

export interface MemberDevice {
  /** e.g. `sdb1` */
  readonly kernelName: string;
  readonly isPartition: boolean;
  /** Links below /dev that don't depend on what is stored on it, e.g. `disk/by-id/ata-X`. */
  readonly links: readonly string[];
}

/**
 * Why this can't be the name of a set; undefined when it can. Only what needs no escaping in names of units and files,
 * and in udev rules.
 */
export function nameProblem(name: string): string | undefined {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name)) return undefined;
  return `"${name}" can't be the name of a unit; use up to 64 letters, digits, "_", "-" and ".", a letter or digit first`;
}
