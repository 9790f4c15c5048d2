import { check } from './check-failure.js';
import { otherMain, staleSpare } from './impostor.js';
import type { FaultParts } from './inject-fault.js';
import { readMetadata, superblockSequenceOn } from './metadata-reader.js';
import type { SimDisk } from './sim-disk.js';

/** No process is at work: one that is given another disk has to refuse it, where that can be told (P6). */
export function checkIntruder(parts: FaultParts, intruder: 'otherMain' | 'staleSpare'): void {
  const { machine } = parts;
  const disks = intruder === 'otherMain' ? withOtherMain(parts) : withStaleSpare(parts);
  if (disks === undefined) return;
  const assembled = machine.assemble(disks);
  check(!assembled.ok, 'acceptedWrongDevice', `a set was started with ${intruder}`);
}

/** Without serial number it is told by samples of its contents, which are taken at a clean stop. */
function withOtherMain(parts: FaultParts): readonly SimDisk[] | undefined {
  const { machine } = parts;
  const superblock = readMetadata(machine.spareBytes)?.superblock;
  const hasSamples = superblock?.isClean === true && superblock.sampleValidMask !== 0;
  if (!machine.scenario.hasSerials && !hasSamples) return undefined;
  return [otherMain(parts), ...machine.disks.slice(1)];
}

/** Only the other spares can tell that one is behind, and by two updates at least: one may have been cut off. */
function withStaleSpare(parts: FaultParts): readonly SimDisk[] | undefined {
  const { machine } = parts;
  const { spareBytes, disks } = machine;
  const spareIndex = machine.random.below(spareBytes.length);
  const stale = staleSpare(parts, spareIndex);
  if (stale === undefined) return undefined;
  const newestOther = Math.max(
    0,
    ...spareBytes.map((spare, index) => (index === spareIndex ? 0 : superblockSequenceOn(spare, index))),
  );
  const isBehind = newestOther - superblockSequenceOn(stale.contents, spareIndex) >= 2;
  return isBehind ? disks.with(1 + spareIndex, stale) : undefined;
}
