import type { ColdContext } from '../engine/cold-context.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { check } from './check-failure.js';
import { isReserved } from './free-units.js';
import type { Ledger } from './ledger.js';
import type { Machine } from './machine.js';
import { placeOfUnit, type SetOnDisk } from './metadata-reader.js';

/**
 * Nothing is under way: what the process has in memory agrees with itself, whatever went wrong before and whatever a commit
 * that failed has left on the disks. A place is taken because something lives there, or did, or may; and it is free
 * otherwise. The totals are those of the places.
 */
export function checkMemory(machine: Machine, ledger: Ledger, { superblock }: SetOnDisk): void {
  const { context } = machine.life!.device!;
  const { table, allocator, doubtfulPlaces, shape } = context;
  checkDoubts(context);
  const totals = { mapped: 0, withLoss: 0, retired: 0 };
  for (let spareUnit = 0; spareUnit < shape.spareUnitCount; spareUnit += 1) {
    const state = table.state(spareUnit);
    if (state === DescriptorState.mapped) totals.mapped += 1;
    if (state === DescriptorState.mapped && table.lostMask(spareUnit) !== 0) totals.withLoss += 1;
    if (state === DescriptorState.retired) totals.retired += 1;
    const { spareIndex, offsetBytes } = placeOfUnit(superblock, spareUnit);
    const isUsed =
      state !== DescriptorState.free ||
      doubtfulPlaces.has(spareUnit) ||
      isReserved(superblock, spareIndex, offsetBytes);
    const isTaken = allocator.isTaken(spareUnit);
    check(isTaken || !isUsed, 'structure', `spare unit ${spareUnit} counts as free, and is in use`);
    // One that turned out bad while a unit was placed is not given out again, although its retirement could not be written.
    const isKnownBad = isTaken && ledger.hasFailedAt(machine.spares[spareIndex]!, offsetBytes);
    check(!isTaken || isUsed || isKnownBad, 'structure', `spare unit ${spareUnit} is taken by nobody`);
  }
  const counted = {
    mapped: table.mappedCount,
    withLoss: table.unitsWithLossCount,
    retired: table.retiredCount,
  };
  const isRight = JSON.stringify(counted) === JSON.stringify(totals);
  check(
    isRight,
    'counters',
    `the table counts ${JSON.stringify(counted)}, and has ${JSON.stringify(totals)}`,
  );
}

/** A later move that is durable ends the doubt that an earlier one has left. */
function checkDoubts({ table, doubtfulUnits }: ColdContext): void {
  for (const [unit, moveCount] of doubtfulUnits) {
    const place = table.find(unit);
    const ahead = place === -1 ? 0 : (table.moveCount(place) - moveCount) & 0xff;
    const hasMovedSince = ahead > 0 && ahead < 128;
    check(!hasMovedSince, 'structure', `unit ${unit} has moved since it was in doubt, and is in doubt still`);
  }
}
