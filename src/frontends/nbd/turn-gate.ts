/**
 * Keeps order when something shared has run out: the first connection that went away empty-handed is served before
 * anybody else, however little the others want. So a 32 MiB read gets its memory under a stream of small ones.
 */
export class TurnGate {
  private owner = -1;

  mayTake(connection: number): boolean {
    return this.owner === -1 || this.owner === connection;
  }

  /** The connection got nothing: it is next, unless another one is already. */
  blocked(connection: number): void {
    if (this.owner === -1) this.owner = connection;
  }

  /** The connection got all it wanted, or gave up. */
  passed(connection: number): void {
    if (this.owner === connection) this.owner = -1;
  }
}
