/** The resource that was asked for is not there. `message`: one line. */
export class NotFound extends Error {
  override readonly name = 'NotFound';
}
