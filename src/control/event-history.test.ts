import { expect, it } from 'vitest';
import { EventHistory } from './event-history.js';

it('keeps what is rare when there is a flood of something else, and the last ones of the flood', () => {
  const history = new EventHistory(() => 0, 5);
  const add = (event: string): void => history.add({ level: 'info', event, message: '', details: {} });
  add('spareGone');
  for (let count = 0; count < 10; count += 1) add('remapped');
  add('spareBack');
  expect(history.after(0).map(({ id, event }) => `${id} ${event}`)).toEqual([
    '1 spareGone',
    '9 remapped',
    '10 remapped',
    '11 remapped',
    '12 spareBack',
  ]);
});
