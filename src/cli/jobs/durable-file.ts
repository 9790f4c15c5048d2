import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Puts a text at a path in one step: a power cut leaves what was there or all of the text. Nothing waits in the thread
 * that calls: the file may lie on a device that this process serves.
 */
export async function writeDurably(path: string, text: string): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const beside = `${path}.new`;
  await withFile(beside, 'w', async (file) => {
    await file.writeFile(text);
    await file.sync();
  });
  await rename(beside, path);
  await withFile(directory, 'r', (file) => file.sync());
}

type OpenFile = Awaited<ReturnType<typeof open>>;

async function withFile(path: string, flags: string, act: (file: OpenFile) => Promise<void>): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await act(file);
  } finally {
    await file.close();
  }
}
