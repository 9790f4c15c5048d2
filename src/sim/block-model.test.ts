import { describe, expect, it } from 'vitest';
import { BlockModel } from './block-model.js';

describe('a disk that forgets the last write of a block, and then flushes', () => {
  it('breaks a promise if that write was acknowledged', () => {
    const { model, older, newer } = overwritten(true);
    expect(() => {
      model.noteReverted(0, newer, older);
      model.endFlush(model.beginFlush());
      model.endRead(model.beginRead(0, 1), () => older, false);
    }).toThrow(`reads as version ${older}`);
  });

  it('breaks none if that write failed: what was there before may be there again', () => {
    const { model, older, newer } = overwritten(false);
    model.noteReverted(0, newer, older);
    model.endFlush(model.beginFlush());
    expect([older, newer].map((version) => model.mayHold(0, version))).toEqual([true, true]);
    model.powerCut();
    expect([older, newer].map((version) => model.mayHold(0, version))).toEqual([true, true]);
  });
});

/** One block, written and flushed, then written again. */
function overwritten(succeeds: boolean): {
  readonly model: BlockModel;
  readonly older: number;
  readonly newer: number;
} {
  const model = new BlockModel(1);
  const [older, newer] = [model.nextVersion(), model.nextVersion()];
  model.endWrite(model.beginWrite(0, 1, older), true, false);
  model.endFlush(model.beginFlush());
  model.endWrite(model.beginWrite(0, 1, newer), succeeds, false);
  return { model, older, newer };
}
