/** What a connection needs before its parser can go on. */
export const Step = {
  goOn: 0,
  /** A receive, as `receiveMemory` and `receiveBytes` say. */
  needBytes: 1,
  /** A request, slot or buffer that somebody else has. */
  needResource: 2,
  /** Its own replies to go out. */
  needReplies: 3,
  /** Nothing: the client is done, or the server is. */
  end: 4,
  /** The client sent what can't be answered. */
  broken: 5,
} as const;
export type Step = (typeof Step)[keyof typeof Step];
