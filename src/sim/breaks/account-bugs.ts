import type { PlantedBug } from './planted-bug.js';

/** What people and clients are told of a set: counters, and what its blocks are. */
export const ACCOUNT_BUGS: readonly PlantedBug[] = [
  {
    name: 'counters-never-saved',
    what: 'superblocks go on to have the counters that the first one had',
    file: 'device/write-superblock.js',
    find: 'const counters = Array.from(context.totalCounters());',
    replace: 'const counters = [...state.superblock.counters];',
    from: 77_000_000,
    seeds: 5,
  },
  {
    name: 'autosave-never',
    what: 'counters are saved when something else is, whatever autosave_interval says',
    file: 'device/settings-at-work.js',
    find: 'parts.counterSaving.every(values.autosave_interval * MS_PER_SECOND);',
    replace: 'void 0;',
    from: 77_000_000,
    seeds: 5,
  },
  {
    name: 'bit-count-half',
    what: 'of the blocks of a unit only the first four are counted where they are lost',
    file: 'engine/bit-count.js',
    find: 'mask >>> 0; rest',
    replace: 'mask & 0xf; rest',
    from: 77_000_000,
    seeds: 10,
  },
  {
    name: 'status-of-first-block',
    what: 'clients are told of all blocks of a unit what its first one is',
    file: 'device/state-run.js',
    find: '>>> block) & 1) === 1;\n    return lost',
    replace: '>>> 0) & 1) === 1;\n    return lost',
    from: 77_000_000,
    seeds: 10,
  },
];
