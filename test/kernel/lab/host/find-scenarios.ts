import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Scenario } from '../scenario.js';

export interface FoundScenario {
  readonly scenario: Scenario;
  /** The compiled module. */
  readonly modulePath: string;
}

/** All scenarios of test/kernel/scenarios in the order of their names, or those named; throws for a name that isn't there. */
export async function findScenarios(names: readonly string[] = []): Promise<FoundScenario[]> {
  const directory = fileURLToPath(new URL('../../scenarios/', import.meta.url));
  const all = readdirSync(directory)
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length))
    .sort();
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`no scenario ${unknown}; there are: ${all.join(' ')}`);
  return Promise.all(
    (names.length > 0 ? names : all).map((name) => load(join(directory, `${name}.js`), name)),
  );
}

async function load(modulePath: string, name: string): Promise<FoundScenario> {
  const { default: scenario } = (await import(pathToFileURL(modulePath).href)) as { default: Scenario };
  if (scenario.name !== name) throw new Error(`${modulePath} calls itself ${scenario.name}`);
  return { scenario, modulePath };
}
