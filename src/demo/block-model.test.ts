import { describe, expect, it } from 'vitest';
import { parseFaultScenario } from '../storage/fault-scenario.js';
import { BLOCK_BYTES, BlockModel } from './block-model.js';
import { type PlantedFaults, plantFaults, scenarioText } from './planted-faults.js';
import { Random } from './random.js';

const NO_FAULTS: PlantedFaults = { dead: [], unwritable: [], pending: [], weak: [], slow: [], spare: [] };

describe('the block model', () => {
  it('expects zeroes at first, then what was written last, and names what it finds instead', () => {
    const model = new BlockModel(100, NO_FAULTS);
    const zeroes = new Uint8Array(2 * BLOCK_BYTES);
    expect(model.firstMistake(zeroes, 10)).toBeUndefined();
    const first = model.nextContents(10, 2);
    model.written(10, 2);
    expect(model.firstMistake(first, 10)).toBeUndefined();
    expect(model.firstMistake(zeroes, 10)).toMatch(/^block 10 .* zeroes$/);
    const second = model.nextContents(11, 1);
    model.written(11, 1);
    expect(model.firstMistake(first, 10)).toMatch(/^block 11 .*number 2, but number 1$/);
    expect(model.firstMistake(second, 11)).toBeUndefined();
    expect(model.firstMistake(second, 12)).toMatch(/something else$/);
    model.zeroed(10, 2);
    expect(model.firstMistake(zeroes, 10)).toBeUndefined();
  });

  it('sees a single wrong byte anywhere in a block', () => {
    const model = new BlockModel(10, NO_FAULTS);
    const data = model.nextContents(3, 1);
    model.written(3, 1);
    for (let at = 0; at < data.length; at += 1) {
      data[at]! ^= 0x10;
      expect(model.firstMistake(data, 3)).toBeDefined();
      data[at]! ^= 0x10;
    }
  });

  it('knows a block as lost from the start until it is written', () => {
    const model = new BlockModel(100, { ...NO_FAULTS, dead: [{ first: 5, count: 2 }] });
    expect([4, 5, 6, 7].map((block) => model.isLost(block))).toEqual([false, true, true, false]);
    model.written(6, 1);
    expect(model.anyLost(6, 3)).toBe(false);
    expect(model.lostBlockCount).toBe(1);
  });

  it('wants a pending block read before it is written, with all of its unit', () => {
    const model = new BlockModel(100, { ...NO_FAULTS, pending: [{ first: 6, count: 4 }] });
    expect([model.mustReadFirst(0, 6), model.mustReadFirst(0, 7)]).toEqual([false, true]);
    model.foundLost(6);
    expect([model.mustReadFirst(0, 8), model.mustReadFirst(8, 8)]).toEqual([false, true]);
    expect(model.isLost(7)).toBe(true);
  });

  it('gives each block to one request at a time', () => {
    const model = new BlockModel(100, NO_FAULTS);
    expect(model.tryReserve(10, 5)).toBe(true);
    expect(model.tryReserve(14, 1)).toBe(false);
    expect(model.tryReserve(15, 1)).toBe(true);
    model.release(10, 5);
    expect(model.tryReserve(14, 1)).toBe(true);
  });
});

describe('planted faults', () => {
  it('never share a unit, lie on the disk, and make a valid scenario', () => {
    const sectorCount = 131072;
    const faults = plantFaults(sectorCount, new Random(7));
    const { dead, unwritable, pending, weak, slow } = faults;
    const cells = [dead, unwritable, pending, weak, slow].flat().map(({ first, count }) => {
      expect(first + count).toBeLessThanOrEqual(sectorCount);
      expect(Math.floor(first / 32)).toBe(Math.floor((first + count - 1) / 32));
      return Math.floor(first / 32);
    });
    expect(new Set(cells).size).toBe(cells.length);
    const scenario = parseFaultScenario(scenarioText(faults), 'faults.yaml');
    expect(scenario.ok && scenario.value.main).toHaveLength(4 + weak.length);
  });

  it('follow from the seed alone', () => {
    expect(plantFaults(131072, new Random(3))).toEqual(plantFaults(131072, new Random(3)));
    expect(plantFaults(131072, new Random(3))).not.toEqual(plantFaults(131072, new Random(4)));
  });
});
