import { describe, expect, it } from 'vitest';
import { BlockModel } from './block-model.js';

const BLOCK = 0;

describe('a disk that goes back to what was on stable storage', () => {
  it('has lost nothing of a write that failed before (seed 700987)', () => {
    const { model, older, newer, writing } = withWriteUnderWay();
    model.endWrite(writing, false, false);
    model.noteReverted(BLOCK, newer, older);
    flush(model);
    expect([older, newer].map((version) => model.mayHold(BLOCK, version))).toEqual([true, true]);
  });

  it('has lost nothing of a write that fails afterwards', () => {
    const { model, older, newer, writing } = withWriteUnderWay();
    model.noteReverted(BLOCK, newer, older);
    model.endWrite(writing, false, false);
    flush(model);
    expect([older, newer].map((version) => model.mayHold(BLOCK, version))).toEqual([true, true]);
  });

  it('has lost a write that is acknowledged afterwards, and no flush may hide that', () => {
    const { model, older, newer, writing } = withWriteUnderWay();
    model.noteReverted(BLOCK, newer, older);
    model.endWrite(writing, true, false);
    expect(model.mayHold(BLOCK, older)).toBe(true);
    flush(model);
    expect(model.mayHold(BLOCK, older)).toBe(false);
  });

  it('has lost a write that was acknowledged before, and no flush may hide that', () => {
    const { model, older, newer, writing } = withWriteUnderWay();
    model.endWrite(writing, true, false);
    model.noteReverted(BLOCK, newer, older);
    expect(model.mayHold(BLOCK, older)).toBe(true);
    flush(model);
    expect(model.mayHold(BLOCK, older)).toBe(false);
  });
});

/** A block with a durable version, over which another one is being written. */
function withWriteUnderWay() {
  const model = new BlockModel(1);
  const older = model.nextVersion();
  model.endWrite(model.beginWrite(BLOCK, 1, older), true, true);
  const newer = model.nextVersion();
  return { model, older, newer, writing: model.beginWrite(BLOCK, 1, newer) };
}

function flush(model: BlockModel): void {
  model.endFlush(model.beginFlush());
}
