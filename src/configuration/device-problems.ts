import type { ConfigurationText } from './configuration-schema.js';

/** A mistake in a set, at the key that has to be changed. */
export interface DeviceProblem {
  readonly keys: readonly (string | number)[];
  readonly problem: string;
}

/**
 * Devices that a set names twice, which the schema can't see and a start would refuse. Only the texts are compared: that two
 * names lead to one disk is known where the disks are.
 */
export function deviceProblems(sets: NonNullable<ConfigurationText['sets']>): DeviceProblem[] {
  return Object.entries(sets).flatMap(([name, { main, spares }]) =>
    spares.flatMap((spare, index) => {
      const before = [main, ...spares.slice(0, index)];
      if (!before.includes(spare)) return [];
      const problem = `${spare} is named twice; main device and spares must all differ`;
      return [{ keys: ['sets', name, 'spares', index], problem }];
    }),
  );
}
