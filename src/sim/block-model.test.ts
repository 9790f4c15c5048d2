import { describe, expect, it } from 'vitest';
import { BlockModel } from './block-model.js';
import { Version } from './block-pattern.js';

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

describe('a flush', () => {
  it('says nothing of a write that began after it, which a disk has forgotten (seed 880005193)', () => {
    const model = new BlockModel(1);
    const older = model.nextVersion();
    model.endWrite(model.beginWrite(BLOCK, 1, older), true, false);
    const mark = model.beginFlush();
    const newer = model.nextVersion();
    model.endWrite(model.beginWrite(BLOCK, 1, newer), true, false);
    model.noteReverted(BLOCK, newer, older);
    model.endFlush(mark);
    expect([older, newer].map((version) => model.mayHold(BLOCK, version))).toEqual([true, true]);
    flush(model);
    expect(model.mayHold(BLOCK, older)).toBe(false);
  });

  it('says nothing of a write that had no answer when it began (seed 3816938320)', () => {
    const { model, older, newer, writing } = withWriteUnderWay();
    const mark = model.beginFlush();
    model.noteReverted(BLOCK, newer, older);
    model.endWrite(writing, true, false);
    model.endFlush(mark);
    expect([older, newer].map((version) => model.mayHold(BLOCK, version))).toEqual([true, true]);
    flush(model);
    expect(model.mayHold(BLOCK, older)).toBe(false);
  });

  it('says nothing of zeroes that came after it began, though they were written over since (seed 706561)', () => {
    const model = new BlockModel(1);
    const mark = model.beginFlush();
    model.endWrite(model.beginWrite(BLOCK, 1, Version.zero), true, false);
    model.endWrite(model.beginWrite(BLOCK, 1, model.nextVersion()), true, false);
    model.endFlush(mark);
    model.powerCut();
    expect(model.mayHold(BLOCK, Version.zero)).toBe(true);
  });

  it('leaves no zeroes of before that were written over', () => {
    const model = new BlockModel(1);
    model.endWrite(model.beginWrite(BLOCK, 1, Version.zero), true, false);
    model.endWrite(model.beginWrite(BLOCK, 1, model.nextVersion()), true, false);
    flush(model);
    model.powerCut();
    expect(model.mayHold(BLOCK, Version.zero)).toBe(false);
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
