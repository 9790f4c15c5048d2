/** `1 unit`, `2 units`, `12,345 units`. */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatNumber(count)} ${count === 1 ? singular : plural}`;
}

/** `12,345`, whole numbers: the same on every machine. By hand: loading the tables of all languages costs 50 ms. */
export function formatNumber(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
