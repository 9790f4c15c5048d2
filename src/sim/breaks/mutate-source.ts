import { readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import { assert } from '../../base/assert.js';
import type { PlantedBug } from './planted-bug.js';

/**
 * From now on, this process loads the product with the bug in it. Must be called before anything of the product is
 * imported. Throws where the place is not there exactly once: then the product has changed and the bug must follow.
 */
export function plant(bug: PlantedBug): void {
  const url = new URL(`../../${bug.file}`, import.meta.url).href;
  const source = mutate(readFileSync(fileURLToPath(url), 'utf8'), bug);
  const { registerHooks } = nodeModule as { readonly registerHooks?: (hooks: object) => void };
  if (registerHooks === undefined) {
    nodeModule.register('./loader-hooks.js', { parentURL: import.meta.url, data: { url, source } });
  } else {
    registerHooks({
      load: (loaded: string, context: object, next: (url: string, context: object) => object) =>
        loaded === url ? { format: 'module', source, shortCircuit: true } : next(loaded, context),
    });
  }
}

export function mutate(source: string, bug: PlantedBug): string {
  const count = source.split(bug.find).length - 1;
  assert(count === 1, `${bug.name}: its place occurs ${count} times in ${bug.file}, not once`);
  return source.replace(bug.find, () => bug.replace);
}
