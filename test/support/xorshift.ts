/** Pseudo-random numbers from 0 to 2^32 - 1 (Marsaglia's xorshift32); the same seed (not 0) gives the same ones. */
export function xorshift(seed: number): () => number {
  let state = seed >>> 0;
  if (state === 0) throw new Error('a seed is not 0');
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state;
  };
}
