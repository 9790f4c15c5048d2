/** Run by Node on its own thread where hooks can't be registered in the same one (before Node 22.15). */
let planted: { readonly url: string; readonly source: string };

export function initialize(data: typeof planted): void {
  planted = data;
}

export async function load(
  url: string,
  context: object,
  nextLoad: (url: string, context: object) => Promise<object>,
): Promise<object> {
  if (url !== planted.url) return nextLoad(url, context);
  return { format: 'module', source: planted.source, shortCircuit: true };
}
