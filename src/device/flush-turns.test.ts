import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { FlushTurns } from './flush-turns.js';

const [FIRST, SECOND, THIRD, FOURTH] = [0, 1, 2, 3];
const MAIN = 0;
const SPARE = 1;

/** Flushes that a test ends by hand. */
function turnsByHand(answered: (ticket: number) => void = () => {}) {
  const sent: number[] = [];
  const answers: (readonly [ticket: number, result: number])[] = [];
  const turns = new FlushTurns(
    4,
    (target) => sent.push(target),
    (ticket, result) => {
      answers.push([ticket, result]);
      answered(ticket);
    },
  );
  return { sent, answers, turns };
}

describe('flushes of one disk', () => {
  it('take turns: what is asked for meanwhile is sent once, after it, for all who wait', () => {
    const { sent, answers, turns } = turnsByHand();
    for (const ticket of [FIRST, SECOND, THIRD]) turns.flush(MAIN, ticket);
    expect(sent.length).toBe(1);
    turns.ended(MAIN, -ERRNO.EIO);
    expect(answers).toEqual([[FIRST, -ERRNO.EIO]]);
    expect(sent.length).toBe(2);
    turns.ended(MAIN, 0);
    expect(answers.slice(1)).toEqual([
      [SECOND, 0],
      [THIRD, 0],
    ]);
    turns.flush(MAIN, FOURTH);
    expect(sent.length, 'nothing is under way any more').toBe(3);
  });

  it('are sent before those of the last turn are answered, so that who asks again waits for the next', () => {
    const again: number[] = [];
    const { sent, answers, turns } = turnsByHand((ticket) => {
      if (again.shift() === ticket) turns.flush(MAIN, ticket);
    });
    for (const ticket of [FIRST, SECOND, THIRD]) turns.flush(MAIN, ticket);
    again.push(FIRST, SECOND);
    turns.ended(MAIN, 0);
    expect(sent.length).toBe(2);
    turns.ended(MAIN, 0);
    expect(answers.map(([ticket]) => ticket)).toEqual([FIRST, SECOND, THIRD]);
    turns.ended(MAIN, 0);
    expect(answers.map(([ticket]) => ticket)).toEqual([FIRST, SECOND, THIRD, FIRST]);
    turns.ended(MAIN, 0);
    expect(answers.map(([ticket]) => ticket)).toEqual([FIRST, SECOND, THIRD, FIRST, SECOND]);
  });

  it('do not wait for those of another disk', () => {
    const { sent, answers, turns } = turnsByHand();
    turns.flush(MAIN, FIRST);
    turns.flush(SPARE, SECOND);
    expect(sent).toEqual([MAIN, SPARE]);
    turns.ended(SPARE, 0);
    expect(answers).toEqual([[SECOND, 0]]);
  });
});
