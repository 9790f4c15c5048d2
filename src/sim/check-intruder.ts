import { check } from './check-failure.js';
import { otherMain, staleSpare } from './impostor.js';
import type { FaultParts } from './inject-fault.js';
import type { Machine } from './machine.js';
import { readMetadata, sequenceBeforeOn, superblockSequenceOn } from './metadata-reader.js';
import type { SimDisk } from './sim-disk.js';

/** No process is at work: one that is given another disk has to refuse it, where that can be told (P6). */
export function checkIntruder(parts: FaultParts, intruder: 'otherMain' | 'staleSpare'): void {
  const { machine } = parts;
  if (intruder === 'otherMain') checkBystander(machine);
  const disks = intruder === 'otherMain' ? withOtherMain(parts) : withStaleSpare(parts);
  if (disks === undefined) return;
  const assembled = machine.assemble(disks);
  check(!assembled.ok, 'acceptedWrongDevice', `a set was started with ${intruder}`);
}

/** The disk that was the main device, or is not yet; without serial number only its size tells (docs/moving.md). */
export function checkBystander(machine: Machine): void {
  const { bystander, disks, scenario, spares } = machine;
  if (bystander === undefined) return;
  const isAsLarge = bystander.geometry.sizeBytes === disks[0]!.geometry.sizeBytes;
  if (isAsLarge && !scenario.hasSerials) return;
  const isRefused = !machine.assemble([bystander, ...spares]).ok;
  check(
    isRefused,
    'acceptedWrongDevice',
    'a set was started with a disk that is its main device no more, or not yet',
  );
}

/** Without serial number it is told by samples of its contents, which are taken at a clean stop. */
function withOtherMain(parts: FaultParts): readonly SimDisk[] | undefined {
  const { machine } = parts;
  const superblock = readMetadata(machine.spareBytes)?.superblock;
  const hasSamples = superblock?.isClean === true && superblock.sampleValidMask !== 0;
  if (!machine.scenario.hasSerials && !hasSamples) return undefined;
  return [otherMain(parts), ...machine.spares];
}

/** Only the other spares can tell that one is behind, and by two updates at least: one may have been cut off. */
function withStaleSpare(parts: FaultParts): readonly SimDisk[] | undefined {
  const { machine } = parts;
  const { spareBytes, setDisks } = machine;
  const spareIndex = machine.random.below(spareBytes.length);
  const stale = staleSpare(parts, spareIndex);
  if (stale === undefined) return undefined;
  const others = [...spareBytes.keys()].filter((index) => index !== spareIndex);
  const before = Math.max(0, ...others.map((index) => sequenceBeforeOn(spareBytes[index]!, index)));
  const isBehind = superblockSequenceOn(stale.contents, spareIndex) < before;
  return isBehind ? setDisks.with(1 + spareIndex, stale) : undefined;
}
