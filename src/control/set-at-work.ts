/** For `judgeHealth`: it has all its spares; its copies are compared by a scrub, which tells what it finds. */
export const SET_AT_WORK = {
  doubtful: { staleSpares: [], pageCount: 0 },
  missing: { spareCount: 0, unitCount: 0, isMapKnown: true, copyCount: 0 },
  copies: null,
  mayBeInUse: false,
} as const;
