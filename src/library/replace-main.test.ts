import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleContent } from '../device/sample-content.js';
import { writeSuperblock } from '../device/write-superblock.js';
import { formatSpares } from './format-spares.js';
import { MetadataSession } from './metadata-session.js';
import { planReplaceMain } from './replace-main.js';
import { wholeSetOf } from './whole-set.js';

const MIB = 1 << 20;
let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-replace-'));
  for (const [name, sizeBytes] of [
    ['main', 8 * MIB],
    ['spare', 2 * MIB],
    ['new', 8 * MIB],
  ] as const) {
    writeFileSync(path(name), name === 'new' ? 'other contents' : '');
    truncateSync(path(name), sizeBytes);
  }
  await formatSpares({ main: path('main'), spares: [path('spare')] });
  await closeCleanly();
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function path(name: string): string {
  return join(directory, name);
}

/** With samples of the main device, as a process that stops leaves it. */
async function closeCleanly(): Promise<void> {
  await MetadataSession.use([path('spare'), path('main')], 'write', {}, async (session) => {
    const set = await wholeSetOf(session, 1);
    session.arrangeSpares(set.choice.deviceOfSpare);
    session.arrangeMain(1);
    const { memory, bufferOffset } = session;
    const contentSample = await session.run(sampleContent(8 * MIB, memory, bufferOffset, () => false));
    const fields = { cleanShutdown: true, contentSample };
    expect(await session.run(writeSuperblock(session.workOn(set), fields))).toBe(0);
  });
}

describe('a disk that is to become the main device, and differs from the old one', () => {
  const options = (remaps: 'all' | 'withLoss') => ({ spares: [path('spare')], device: path('new'), remaps });

  it('is refused as a copy of that', async () => {
    await expect(planReplaceMain(options('all'))).rejects.toMatchObject({ failure: 'refused' });
  });

  it('is taken where the set itself has filled it: of discarded blocks each disk has what it likes', async () => {
    expect(await planReplaceMain(options('withLoss'))).toMatchObject({ differingBlocks: 0 });
  });
});
