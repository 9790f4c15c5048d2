import { expect, test } from 'vitest';
import { listeningPlace } from './listening-place.js';
import { parseNbdUri } from './uri.js';

function placeOf(text: string): string | undefined {
  const uri = parseNbdUri(text);
  if (!uri.ok) throw new Error(uri.error.reason);
  return listeningPlace(uri.value.address);
}

test('one place for listening has one text, however the URI writes it', () => {
  expect(placeOf('nbd://')).toBe(placeOf('nbds://127.0.0.1:10809/x'));
  expect(placeOf('nbd://Host:1/')).toBe(placeOf('nbd://host:1/'));
  expect(placeOf('nbd://h:1/')).not.toBe(placeOf('nbd://h:2/'));
  expect(placeOf('nbd+unix:///?socket=/run/../run//a')).toBe('/run/a');
});

test('two ports that the kernel chooses are two places', () => {
  expect(placeOf('nbd://127.0.0.1:0/')).toBeUndefined();
});
