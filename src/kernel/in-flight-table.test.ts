import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { type Geometry, NO_IDENTITY, PLAIN_QUEUE } from '../ports/block-store.js';
import { plainMemory, requestBufferOffset } from '../ports/io-memory.js';
import { AGAIN, InFlightTable, Operation } from './in-flight-table.js';

const geometry: Geometry = {
  sizeBytes: 1 << 20,
  logicalBlockBytes: 512,
  physicalBlockBytes: 512,
  memoryAlignmentBytes: 512,
  rotational: false,
  readOnly: false,
  queue: PLAIN_QUEUE,
  identity: NO_IDENTITY,
};

function newTable(): InFlightTable {
  return new InFlightTable(geometry, plainMemory(65536), 4);
}

describe('in-flight table', () => {
  it('finishes a whole transfer with its length and frees the ticket', () => {
    const table = newTable();
    table.beginTransfer(1, Operation.read, 512, 4096, 0);
    expect(table.activeCount).toBe(1);
    expect(table.settle(1, 4096)).toBe(4096);
    expect(table.activeCount).toBe(1);
    table.release(1);
    expect(table.activeCount).toBe(0);
    expect(table.operation[1]).toBe(Operation.idle);
  });

  it('takes request buffers only for a store that knows them', () => {
    const buffer = requestBufferOffset(3);
    expect(() => newTable().beginTransfer(0, Operation.read, 0, 4096, buffer)).toThrow(/outside/);
    const table = new InFlightTable(geometry, plainMemory(65536), 4, true);
    table.beginTransfer(0, Operation.read, 0, 4096, buffer);
    expect(table.memoryOffset[0]).toBe(buffer);
  });

  it('continues a short transfer behind the last whole block', () => {
    const table = newTable();
    table.beginTransfer(0, Operation.write, 0, 4096, 0);
    expect(table.settle(0, 1024)).toBe(AGAIN);
    expect(table.doneBytes[0]).toBe(1024);
    expect(table.settle(0, 700)).toBe(AGAIN);
    expect(table.doneBytes[0]).toBe(1536);
    expect(table.settle(0, 2560)).toBe(4096);
  });

  it('reports a read that ends early as a vanished device and a write without progress as an I/O error', () => {
    const table = newTable();
    table.beginTransfer(0, Operation.read, 0, 4096, 0);
    expect(table.settle(0, 0)).toBe(-ERRNO.ENODEV);
    table.release(0);
    table.beginTransfer(0, Operation.read, 0, 4096, 0);
    expect(table.settle(0, 512)).toBe(AGAIN);
    expect(table.settle(0, 100)).toBe(-ERRNO.ENODEV);
    table.release(0);
    table.beginTransfer(0, Operation.durableWrite, 0, 4096, 0);
    expect(table.settle(0, 0)).toBe(-ERRNO.EIO);
  });

  it('retries EINTR and EAGAIN a bounded number of times', () => {
    const table = newTable();
    table.beginTransfer(0, Operation.read, 0, 512, 0);
    let attempts = 0;
    while (table.settle(0, attempts % 2 === 0 ? -ERRNO.EINTR : -ERRNO.EAGAIN) === AGAIN) attempts += 1;
    expect(attempts).toBe(8);
  });

  it('passes other errors up and turns EINVAL of a discard into EOPNOTSUPP', () => {
    const table = newTable();
    table.beginTransfer(0, Operation.read, 0, 512, 0);
    expect(table.settle(0, -ERRNO.ENODATA)).toBe(-ERRNO.ENODATA);
    table.release(0);
    table.beginRange(0, Operation.discard, 0, 512);
    expect(table.settle(0, -ERRNO.EINVAL)).toBe(-ERRNO.EOPNOTSUPP);
    table.release(0);
    table.beginRange(0, Operation.punch, 0, 512);
    expect(table.settle(0, -ERRNO.EINVAL)).toBe(-ERRNO.EINVAL);
  });

  it('asserts what breaks the contract', () => {
    const table = newTable();
    expect(() => table.beginTransfer(0, Operation.read, 100, 512, 0)).toThrow(/logical block/);
    expect(() => table.beginTransfer(0, Operation.read, 1 << 20, 512, 0)).toThrow(/outside the device/);
    expect(() => table.beginTransfer(0, Operation.read, 0, 0, 0)).toThrow(/outside the device/);
    expect(() => table.beginTransfer(0, Operation.read, 0, 512, 100)).toThrow(/aligned/);
    expect(() => table.beginTransfer(0, Operation.read, 0, 512, 65536)).toThrow(/memory/);
    expect(() => table.beginWhole(4, Operation.flush)).toThrow(/ticket/);
    table.beginWhole(3, Operation.flush);
    expect(() => table.beginWhole(3, Operation.flush)).toThrow(/in use/);
    expect(() => table.settle(2, 0)).toThrow(/idle/);
    expect(() => table.release(2)).toThrow(/idle/);
  });
});
