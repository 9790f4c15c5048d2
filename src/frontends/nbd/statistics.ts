import { COMMAND_COUNT, Command } from './protocol.js';

/** Counts since the server was made; they only grow. */
export interface NbdStatistics {
  readonly connections: number;
  /** Requests answered, good or bad, per command. */
  readonly reads: number;
  readonly writes: number;
  readonly flushes: number;
  readonly trims: number;
  readonly caches: number;
  readonly zeroes: number;
  readonly statuses: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** Requests answered with an error. */
  readonly errors: number;
  /** Sends: replies per send tell how well batching works. */
  readonly sends: number;
}

/** Counters in a typed array, so that counting never allocates. */
export class StatisticsCounters {
  connections = 0;
  private readonly requests = new Float64Array(COMMAND_COUNT);
  private readonly totals = new Float64Array(4);

  answered(type: number, lengthBytes: number, error: number): void {
    if (type < COMMAND_COUNT) this.requests[type]! += 1;
    if (error !== 0) this.totals[0]! += 1;
    else if (type === Command.read) this.totals[1]! += lengthBytes;
    else if (type === Command.write) this.totals[2]! += lengthBytes;
  }

  sendStarted(): void {
    this.totals[3]! += 1;
  }

  snapshot(): NbdStatistics {
    const of = (type: number): number => this.requests[type]!;
    return {
      connections: this.connections,
      reads: of(Command.read),
      writes: of(Command.write),
      flushes: of(Command.flush),
      trims: of(Command.trim),
      caches: of(Command.cache),
      zeroes: of(Command.writeZeroes),
      statuses: of(Command.blockStatus),
      readBytes: this.totals[1]!,
      writtenBytes: this.totals[2]!,
      errors: this.totals[0]!,
      sends: this.totals[3]!,
    };
  }
}
