import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { FlushTurns } from './flush-turns.js';

/** Flushes that a test ends by hand. */
function turnsByHand() {
  const sent: { target: number; end: (result: number) => void }[] = [];
  const answers: string[] = [];
  const turns = new FlushTurns((target, end) => sent.push({ target, end }));
  const flush = (name: string, target = 0): void => {
    turns.flush(target, (result) => answers.push(`${name} ${result}`));
  };
  return { sent, answers, flush };
}

describe('flushes of one disk', () => {
  it('take turns: what is asked for meanwhile is sent once, after it, for all who wait', () => {
    const { sent, answers, flush } = turnsByHand();
    for (const name of ['first', 'second', 'third']) flush(name);
    expect(sent.length).toBe(1);
    sent[0]!.end(-ERRNO.EIO);
    expect(answers).toEqual([`first ${-ERRNO.EIO}`]);
    expect(sent.length).toBe(2);
    sent[1]!.end(0);
    expect(answers.slice(1)).toEqual(['second 0', 'third 0']);
    flush('fourth');
    expect(sent.length, 'nothing is under way any more').toBe(3);
  });

  it('are sent before those of the last turn are answered, so that who asks again waits for the next', () => {
    const sent: ((result: number) => void)[] = [];
    const turns = new FlushTurns((_target, end) => sent.push(end));
    const ended: string[] = [];
    turns.flush(0, () => turns.flush(0, () => ended.push('again')));
    turns.flush(0, () => ended.push('waited'));
    sent[0]!(0);
    expect(sent.length).toBe(2);
    sent[1]!(0);
    expect(ended).toEqual(['waited']);
    sent[2]!(0);
    expect(ended).toEqual(['waited', 'again']);
  });

  it('do not wait for those of another disk', () => {
    const { sent, answers, flush } = turnsByHand();
    flush('main', 0);
    flush('spare', 1);
    expect(sent.map(({ target }) => target)).toEqual([0, 1]);
    sent[1]!.end(0);
    expect(answers).toEqual(['spare 0']);
  });
});
