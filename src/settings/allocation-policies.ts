/** Values of `allocation_policy`; the number of a word is its place here, and is what spares keep. */
export const ALLOCATION_POLICIES = ['sequential', 'near', 'spread', 'balance'] as const;
