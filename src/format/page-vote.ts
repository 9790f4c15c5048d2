import type { PageChoice, PageVersions } from './page-choice.js';
import { viewOf } from './sealed-block.js';

/**
 * No number is used twice (rule W2 of docs/on-disk-format.md), so all intact copies of the chosen version say the same.
 * If they don't, damage has got past a checksum, or somebody has written a new one: what more than half of them say
 * counts, and the others become 'contradictory'. Answers false if any did: then there is another choice to be made, or
 * none, where `choice.found` is false now.
 */
export function outvote(
  versions: PageVersions,
  choice: PageChoice,
  bytesOf: (copyIndex: number, slot: number) => Uint8Array,
): boolean {
  const { slot, sequence, generation } = choice;
  const holds = (copy: number): boolean => versions.holds(copy * 2 + slot, sequence, generation);
  const voters = Array.from({ length: versions.copyCount }, (_, copy) => copy).filter(holds);
  const sameAs = (copy: number): number[] =>
    voters.filter((other) => hasSameContents(bytesOf(copy, slot), bytesOf(other, slot)));
  if (voters.length === 0 || sameAs(voters[0]!).length === voters.length) return true;
  const winners = voters.map(sameAs).find((group) => group.length * 2 > voters.length) ?? [];
  for (const copy of voters)
    if (!winners.includes(copy)) versions.set(copy, slot, 'contradictory', sequence, generation);
  choice.found = winners.length > 0;
  return false;
}

/** All but the checksum and whose copy it is. */
function hasSameContents(one: Uint8Array, other: Uint8Array): boolean {
  const [words, others] = [viewOf(one), viewOf(other)];
  for (let at = SHARED_FROM; at < one.length; at += 4)
    if (words.getUint32(at, true) !== others.getUint32(at, true)) return false;
  return true;
}

/** Of a page: its set id, after magic, checksum, copy and slot. */
const SHARED_FROM = 16;
