import type { Duplex } from 'node:stream';

/** Exact numbers of bytes out of a socket; one reader and one call at a time. */
export class ByteReader {
  private readonly socket: Duplex;
  private chunks: Buffer[] = [];
  private bufferedBytes = 0;
  private ended: Error | null = null;
  private wake: (() => void) | null = null;
  private readonly onData = (chunk: Buffer): void => {
    this.chunks.push(chunk);
    this.bufferedBytes += chunk.length;
    this.wake?.();
  };
  private readonly onEnd = (): void => this.fail(new Error('the connection was closed'));
  private readonly onError = (error: Error): void => this.fail(error);

  constructor(socket: Duplex) {
    this.socket = socket;
    socket.on('data', this.onData);
    socket.on('close', this.onEnd);
    socket.on('end', this.onEnd);
    socket.on('error', this.onError);
  }

  /** The next bytes; rejects when the connection ends before they came. */
  async take(lengthBytes: number): Promise<Buffer> {
    const bytes = await this.peek(lengthBytes);
    this.chunks = bytes.length < this.bufferedBytes ? [this.chunks[0]!.subarray(lengthBytes)] : [];
    this.bufferedBytes -= lengthBytes;
    return bytes;
  }

  /** Like `take`, but the bytes stay. */
  async peek(lengthBytes: number): Promise<Buffer> {
    while (this.bufferedBytes < lengthBytes) {
      if (this.ended !== null) throw this.ended;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    if (this.chunks.length !== 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0]!.subarray(0, lengthBytes);
  }

  /** Leaves the socket to somebody else; its errors are still taken. */
  detach(): void {
    this.socket.off('data', this.onData);
    this.socket.off('end', this.onEnd);
    this.socket.off('close', this.onEnd);
    this.socket.pause();
  }

  private fail(error: Error): void {
    this.ended ??= error;
    this.wake?.();
  }
}
