/** The path to write down for a device that was named by `given`; undefined when nothing about it is stable. */
export function stablePath(given: string, links: readonly string[]): string | undefined {
  if (links.some((link) => `/dev/${link}` === given)) return given;
  const [best] = [...links].sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
  return best === undefined ? undefined : `/dev/${best}`;
}

/**
 * The links that tell a device by itself. Left out are those that follow from its contents, which the protected
 * device has too, those that differ after the next boot, and those with characters that udev rules would interpret.
 */
export function ownLinks(links: readonly string[]): string[] {
  return links.filter(
    (link) =>
      /^[A-Za-z0-9#+.:=@_/-]+$/.test(link) && !CONTENT_OR_PASSING.some((start) => link.startsWith(start)),
  );
}

const CONTENT_OR_PASSING = [
  'disk/by-uuid/',
  'disk/by-label/',
  'disk/by-id/lvm-pv-uuid-',
  'disk/by-diskseq/',
  'gpt-auto-root',
];

/** People read these names: model and serial number first, then numbers, then the socket that it is plugged into. */
function rank(link: string): number {
  if (/^disk\/by-id\/(wwn-|nvme-(eui|nvme|uuid)\.|scsi-[0-9])/.test(link)) return 1;
  if (link.startsWith('disk/by-id/')) return 0;
  if (link.startsWith('disk/by-partuuid/')) return 2;
  if (link.startsWith('disk/by-path/')) return 3;
  return 4;
}
