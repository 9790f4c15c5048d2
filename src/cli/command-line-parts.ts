/** A command line has its limits. */
export function inParts(numbers: readonly number[], partCount = PART_COUNT): number[][] {
  const count = Math.ceil(numbers.length / partCount);
  return Array.from({ length: count }, (_, at) => numbers.slice(at * partCount, (at + 1) * partCount));
}

const PART_COUNT = 500;
