import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MEMORY_DIRECTORY, TemporaryFile } from '../../test/support/temporary-file.js';
import { mapMemory } from './aligned-memory.js';
import { pread } from './ffi.js';
import { isMemoryFile } from './memory-file.js';
import { closeDevice, type OpenDevice, type OpenOptions, openDevice } from './open-device.js';
import { describeOpenFailure, type OpenFailure, type OpenFailureKind, openFailure } from './open-failure.js';

const FILE_BYTES = 1 << 20;
const WRITABLE: OpenOptions = { readOnly: false, exclusive: true };

describe('opening a device', () => {
  let file: TemporaryFile;
  let directory = '';
  const opened: OpenDevice[] = [];

  beforeEach(() => {
    file = new TemporaryFile(FILE_BYTES);
    directory = dirname(file.path);
  });
  afterEach(() => {
    for (const device of opened.splice(0)) closeDevice(device);
    file.remove();
  });

  function open(path: string, options = WRITABLE): OpenDevice {
    const device = openDevice(path, options);
    if (!device.ok) throw new Error(describeOpenFailure(device.error));
    opened.push(device.value);
    return device.value;
  }

  function failureOf(path: string, options = WRITABLE): OpenFailure {
    const device = openDevice(path, options);
    if (!device.ok) return device.error;
    opened.push(device.value);
    throw new Error(`${path} was opened`);
  }

  it('gives a file a geometry in blocks of 512 bytes', () => {
    const device = open(file.path);
    expect(device.kind).toBe('file');
    expect(device.description).toBe(file.path);
    expect(device.geometry).toMatchObject({
      sizeBytes: FILE_BYTES,
      logicalBlockBytes: 512,
      rotational: false,
      readOnly: false,
      queue: { volatileCache: true, canWriteZeroes: true },
      identity: { model: '', serial: '', wwn: '' },
    });
    expect(device.geometry.memoryAlignmentBytes).toBe(device.direct ? 512 : 1);
  });

  it('takes a larger logical block for a file and rounds its size down', () => {
    file.truncate(FILE_BYTES + 4096 + 700);
    expect(open(file.path, { ...WRITABLE, exclusive: false }).geometry.sizeBytes).toBe(
      FILE_BYTES + 4096 + 512,
    );
    const { geometry } = open(file.path, { ...WRITABLE, fileLogicalBlockBytes: 4096 });
    expect(geometry.logicalBlockBytes).toBe(4096);
    expect(geometry.sizeBytes).toBe(FILE_BYTES + 4096);
    expect(() => openDevice(file.path, { ...WRITABLE, fileLogicalBlockBytes: 8192 })).toThrow(/512 to 4096/);
  });

  it('reads without O_DIRECT in memory, where any memory will do', () => {
    const inMemory = new TemporaryFile(FILE_BYTES, MEMORY_DIRECTORY);
    try {
      const device = open(inMemory.path);
      expect(isMemoryFile(device.fd)).toBe(true);
      expect(device.direct).toBe(false);
      expect(device.geometry.memoryAlignmentBytes).toBe(1);
    } finally {
      inMemory.remove();
    }
  });

  it('knows a file that is not in memory, and answers false for what is no file', () => {
    expect(isMemoryFile(open('/proc/self/exe', { readOnly: true, exclusive: false }).fd)).toBe(false);
    expect(isMemoryFile(-1)).toBe(false);
  });

  it('refuses a second exclusive opening as locked, until the first is closed', () => {
    const first = openDevice(file.path, WRITABLE);
    expect(first.ok).toBe(true);
    expect(failureOf(file.path).kind).toBe('locked');
    expect(failureOf(file.path, { readOnly: true, exclusive: true }).kind).toBe('locked');
    open(file.path, { readOnly: true, exclusive: false });
    if (first.ok) closeDevice(first.value);
    open(file.path);
  });

  it('locks through every name of a file', () => {
    const link = join(directory, 'link');
    symlinkSync(file.path, link);
    open(file.path);
    expect(failureOf(link).kind).toBe('locked');
  });

  it('reads what is in the file, with aligned memory', () => {
    writeFileSync(file.path, Buffer.alloc(4096, 0x5a));
    const device = open(file.path, { readOnly: true, exclusive: true });
    const memory = mapMemory(4096);
    expect(pread(device.fd, memory.address, 4096, 0)).toBe(4096);
    expect(memory.bytes[4095]).toBe(0x5a);
    expect(device.geometry.readOnly).toBe(true);
    expect(device.geometry.queue.discardGranularityBytes).toBe(0);
    memory.unmap();
  });

  it('tells what is wrong with a path that is no disk', () => {
    mkdirSync(join(directory, 'folder'));
    expect(failureOf(join(directory, 'absent')).kind).toBe('notFound');
    expect(failureOf(join(file.path, 'below-a-file')).kind).toBe('notFound');
    expect(failureOf(join(directory, 'folder')).kind).toBe('notABlockDevice');
    expect(failureOf('/dev/null').kind).toBe('notABlockDevice');
    file.truncate(511);
    expect(failureOf(file.path).kind).toBe('tooSmall');
  });

  it.skipIf(process.getuid?.() === 0)('is denied what the user may not write (not testable as root)', () => {
    chmodSync(file.path, 0o400);
    expect(failureOf(file.path).kind).toBe('denied');
  });

  it('leaves no descriptor and no lock behind when it fails', () => {
    file.truncate(100);
    expect(failureOf(file.path).kind).toBe('tooSmall');
    file.truncate(FILE_BYTES);
    open(file.path);
  });
});

describe('an open failure', () => {
  it('is one line with the path and something to do, for every kind', () => {
    const kinds: Record<OpenFailureKind, true> = {
      notFound: true,
      denied: true,
      busy: true,
      locked: true,
      readOnly: true,
      notABlockDevice: true,
      tooSmall: true,
      unsupportedBlockSize: true,
      gone: true,
      system: true,
    };
    const lines = Object.keys(kinds).map((kind) =>
      describeOpenFailure({ kind: kind as OpenFailureKind, path: '/dev/sdx', errno: 5 }),
    );
    for (const line of lines) expect(line).toMatch(/^\/dev\/sdx: [^\n]{20,}$/);
    expect(new Set(lines).size).toBe(lines.length);
  });

  it('has the kind of its errno', () => {
    expect(openFailure('/dev/sdx', 16).kind).toBe('busy');
    expect(openFailure('/dev/sdx', 13).kind).toBe('denied');
    expect(openFailure('/dev/sdx', 6).kind).toBe('gone');
    expect(openFailure('/dev/sdx', 24)).toEqual({ kind: 'system', path: '/dev/sdx', errno: 24 });
  });
});
