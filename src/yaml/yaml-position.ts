import type { Document } from 'yaml';
import { isMap, isPair, isScalar } from 'yaml';

/** Where the key at this path stands in the text; its nearest parent that exists, where it does not. */
export function offsetOfPath(document: Document, path: readonly (string | number)[]): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const last = path[depth - 1]!;
    const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const key = isMap(parent)
      ? parent.items.find((pair) => isPair(pair) && isScalar(pair.key) && String(pair.key.value) === last)
          ?.key
      : undefined;
    if (isScalar(key) && key.range) return key.range[0];
    const node = document.getIn(path.slice(0, depth), true);
    if (hasRange(node)) return node.range[0];
  }
  return 0;
}

function hasRange(node: unknown): node is { range: readonly [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

/** `main[0].error` for a path. */
export function keyText(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}
