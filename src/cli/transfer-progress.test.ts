import { expect, it } from 'vitest';
import { recordingOutput } from './testing/fake-context.js';
import { withProgress } from './transfer-progress.js';

it('Long work is seen on a terminal, and leaves no line behind', async () => {
  const output = { ...recordingOutput(), text: '', isTerminal: true };
  output.write = (text) => {
    output.text += text;
  };
  let nowMs = 0;
  const done = await withProgress(
    output,
    async ({ onTransfer }) => {
      onTransfer!(1 << 20, 0);
      expect(output.text).toBe('');
      nowMs = 5000;
      onTransfer!(3 << 20, 1 << 20);
      onTransfer!(4 << 20, 2 << 20);
      return 'done';
    },
    () => nowMs,
  );
  expect(done).toBe('done');
  expect(output.text).toBe('\r\u001b[Kread 3 MiB, written 1 MiB\r\u001b[K');
});

it('Without a terminal nothing is shown, nor asked for', async () => {
  const output = recordingOutput();
  expect(await withProgress(output, async (watch) => watch)).toEqual({});
  expect(output.text).toBe('');
});
