/** What requests do that need a device which is gone (`on_gone`). */
export interface GonePolicy {
  /** They wait for it so long before they fail, from when it went: 0 not at all, `Infinity` for ever. */
  readonly holdMs: number;
}
