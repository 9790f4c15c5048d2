import { describe, expect, it } from 'vitest';
import { FlushHistory, UnflushedWrites } from './flush-history.js';

describe('what a client is told of flushes', () => {
  function client(): { history: FlushHistory; errors: { flushFailureCount: number } } {
    const errors = { flushFailureCount: 0 };
    const history = new FlushHistory(new UnflushedWrites(errors));
    history.writeStarted();
    history.writeFinished();
    return { history, errors };
  }

  it('is that all those failed which were under way when one did, and the next is good', () => {
    const { history, errors } = client();
    const [first, second] = [history.flushStarted(), history.flushStarted()];
    errors.flushFailureCount += 1;
    expect(history.flushFinished(first, false)).toBe(false);
    expect(history.flushFinished(second, true)).toBe(false);
    expect(history.flushFinished(history.flushStarted(), true)).toBe(true);
  });

  it('is that all those failed which are under way when the first one tells of a failure of before', () => {
    const { history, errors } = client();
    errors.flushFailureCount += 1;
    const [first, second] = [history.flushStarted(), history.flushStarted()];
    expect([history.flushFinished(first, true), history.flushFinished(second, true)]).toEqual([false, false]);
    expect(history.flushFinished(history.flushStarted(), true)).toBe(true);
  });

  it('is nothing of failures that came before its writes, or after all of them were flushed', () => {
    const errors = { flushFailureCount: 3 };
    const history = new FlushHistory(new UnflushedWrites(errors));
    history.writeStarted();
    history.writeFinished();
    expect(history.flushFinished(history.flushStarted(), true)).toBe(true);
    errors.flushFailureCount += 1;
    expect(history.flushFinished(history.flushStarted(), true)).toBe(true);
  });

  it('is a failure that nobody asked for, once', () => {
    const { history, errors } = client();
    errors.flushFailureCount += 1;
    expect(history.flushFinished(history.flushStarted(), true)).toBe(false);
    history.writeStarted();
    history.writeFinished();
    expect(history.flushFinished(history.flushStarted(), true)).toBe(true);
  });

  it('on any connection, because one client may have several: once on each that was open by then', () => {
    const errors = { flushFailureCount: 0 };
    const writes = new UnflushedWrites(errors);
    const [writer, flusher] = [new FlushHistory(writes), new FlushHistory(writes)];
    writer.writeStarted();
    writer.writeFinished();
    errors.flushFailureCount += 1;
    for (const history of [flusher, writer]) {
      expect(history.flushFinished(history.flushStarted(), true)).toBe(false);
      expect(history.flushFinished(history.flushStarted(), true)).toBe(true);
    }
    const later = new FlushHistory(writes);
    expect(later.flushFinished(later.flushStarted(), true)).toBe(true);
  });

  it('on a later connection what nobody has heard of: its own may have broken before the answer', () => {
    const errors = { flushFailureCount: 0 };
    const writes = new UnflushedWrites(errors);
    const broken = new FlushHistory(writes);
    broken.writeStarted();
    broken.writeFinished();
    const flush = broken.flushStarted();
    errors.flushFailureCount += 1;
    broken.flushFinished(flush, false, false);
    const later = new FlushHistory(writes);
    expect(later.flushFinished(later.flushStarted(), true)).toBe(false);
    expect(later.flushFinished(later.flushStarted(), true)).toBe(true);
    const last = new FlushHistory(writes);
    expect(last.flushFinished(last.flushStarted(), true)).toBe(true);
  });

  it('does not count writes under way as flushed', () => {
    const { history, errors } = client();
    history.writeStarted();
    expect(history.flushFinished(history.flushStarted(), true)).toBe(true);
    history.writeFinished();
    errors.flushFailureCount += 1;
    expect(history.flushFinished(history.flushStarted(), true)).toBe(false);
  });

  it('is a failure before its first write, because an earlier process may have taken writes of it', () => {
    const errors = { flushFailureCount: 3 };
    const history = new FlushHistory(new UnflushedWrites(errors));
    errors.flushFailureCount += 1;
    expect(history.flushFinished(history.flushStarted(), true)).toBe(false);
    expect(history.flushFinished(history.flushStarted(), true)).toBe(true);
    errors.flushFailureCount += 1;
    expect(history.flushFinished(history.flushStarted(), true)).toBe(true);
  });
});
