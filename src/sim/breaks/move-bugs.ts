import type { PlantedBug } from './planted-bug.js';

/** Moving a unit, and what of it is lost. */
export const MOVE_BUGS: readonly PlantedBug[] = [
  {
    name: 'wrong-unit-moved',
    what: 'the unit at the start of the request is moved, not the one that failed (defect 2)',
    file: 'engine/cold-write.js',
    find: 'const unit = { mainUnit, bufferOffset: scratch.unitOffset, lostMask, reason: DescriptorReason.writeError };',
    replace:
      'const unit = { mainUnit: Math.max(0, mainUnit - 1), bufferOffset: scratch.unitOffset, lostMask, reason: DescriptorReason.writeError };',
    from: 1,
    seeds: 10,
  },
  {
    name: 'payload-dropped',
    what: 'a unit is moved without the data of the write that failed (defects 5, 6)',
    file: 'engine/cold-write.js',
    find: 'context.memory.copyWithin(to, segment.memoryOffset, segment.memoryOffset + segment.lengthBytes);',
    replace: '',
    from: 1,
    seeds: 10,
  },
  {
    name: 'rest-not-salvaged',
    what: 'a unit is moved without the blocks that the failed write did not cover (defect 5)',
    file: 'engine/cold-write.js',
    find: 'let salvage = yield* salvageBlocks(context, MAIN, unitOffset, missing, scratch.unitOffset);',
    replace: 'let salvage = yield* salvageBlocks(context, MAIN, unitOffset, 0, scratch.unitOffset);',
    from: 1,
    seeds: 30,
  },
  {
    name: 'spare-errors-ignored',
    what: 'a spare unit that refuses the data counts as written (defect 10)',
    file: 'engine/relocation.js',
    find: 'if (attempt.ok) {\n            context.suspension',
    replace: 'if (true) {\n            context.suspension',
    from: 1,
    seeds: 450,
  },
  {
    name: 'lost-reads-as-data',
    what: 'what could not be read is returned as if it had been (P3)',
    file: 'engine/cold-read.js',
    find: 'if (!context.lostReadsAsZero)\n        return ERRNO.EIO;\n    const { logicalBlockBytes, unitBytes }',
    replace: 'if (!context.lostReadsAsZero)\n        return 0;\n    const { logicalBlockBytes, unitBytes }',
    from: 1,
    seeds: 10,
  },
  {
    name: 'lost-mask-dropped',
    what: 'which blocks of a moved unit are lost is not remembered',
    file: 'engine/relocation.js',
    find: 'lostMask: unit.lostMask,\n        moveCount',
    replace: 'lostMask: 0,\n        moveCount',
    from: 1,
    seeds: 10,
  },
  {
    name: 'regained-all',
    what: 'one lost block that is written gives all of its unit contents',
    file: 'engine/cold-write.js',
    find: 'lostMask: (knownLost & ~regained) >>> 0,',
    replace: 'lostMask: 0,',
    from: 1,
    seeds: 50,
  },
];
