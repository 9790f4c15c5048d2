/** For an option that may be given several times: collects its values in order. */
export function repeated(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}
