import { RunState } from '../../ports/served-device.js';

/**
 * Metadata contexts this server knows ("Metadata querying").
 *
 * `base:allocation`: bit 0 HOLE (not allocated), bit 1 ZERO (reads as zeroes). Both are set for holes of the main
 * device; remapped and lost blocks are always plain data here.
 *
 * `x-dm-remap:state`: bit 0 the blocks live on a spare device; bit 1 the blocks are lost: they read as EIO until they
 * are written. Bits 2 to 31 are 0. A value of 0 means nothing to report. The only queries are `x-dm-remap:state`
 * and, in LIST, the wildcard `x-dm-remap:`.
 */
export const META_CONTEXTS = [
  { name: 'base:allocation', id: 1, bit: 1 },
  { name: 'x-dm-remap:state', id: 2, bit: 2 },
] as const;

export const MetaContext = { allocation: 1, remapState: 2 } as const;
/** A set of contexts as an OR of their `bit`s. */
export type MetaContextSet = number;

/** Contexts that a LIST query means: a full name, or a namespace with nothing behind the colon. */
export function contextsListed(query: string): MetaContextSet {
  let set = 0;
  for (const context of META_CONTEXTS) {
    const namespace = context.name.slice(0, context.name.indexOf(':') + 1);
    if (query === context.name || query === namespace) set |= context.bit;
  }
  return set;
}

/** Contexts that a SET query means: full names only. */
export function contextsSelected(query: string): MetaContextSet {
  return META_CONTEXTS.find((context) => context.name === query)?.bit ?? 0;
}

const HOLE_AND_ZERO = 3;

/** The status flags of a run (`RunState` bits) in one context. */
export function contextFlags(contextId: number, state: number): number {
  if (contextId === MetaContext.allocation) return state === RunState.hole ? HOLE_AND_ZERO : 0;
  return (state & RunState.remapped ? 1 : 0) | (state & RunState.lost ? 2 : 0);
}
