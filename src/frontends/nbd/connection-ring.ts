/** Connections that stand in line for something, oldest first, each at most once. */
export class ConnectionRing {
  private readonly line: Int32Array;
  private readonly stands: Uint8Array;
  private head = 0;
  private count = 0;

  constructor(capacity: number) {
    this.line = new Int32Array(capacity);
    this.stands = new Uint8Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  push(connection: number): void {
    if (this.stands[connection]) return;
    this.stands[connection] = 1;
    this.line[(this.head + this.count) % this.line.length] = connection;
    this.count += 1;
  }

  /** The oldest; there must be one. */
  shift(): number {
    const connection = this.line[this.head]!;
    this.stands[connection] = 0;
    this.head = (this.head + 1) % this.line.length;
    this.count -= 1;
    return connection;
  }

  /** Takes a connection out, wherever it stands. Cold: it goes through the whole line. */
  remove(connection: number): void {
    for (let left = this.count; left > 0; left -= 1) {
      const oldest = this.shift();
      if (oldest !== connection) this.push(oldest);
    }
  }
}
