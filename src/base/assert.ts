/** Invariants stay on in production: a broken one is a bug of ours and must stop the process, never corrupt a disk. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable value: ${JSON.stringify(value)}`);
}

/** A bug in dm-remap itself. Expected failures are values (`Result`), not exceptions. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}
