/** How the devices of a set are called in messages. */
export interface DeviceNames {
  readonly main: string;
  /** By spare index. */
  readonly spares: readonly string[];
}

/** `target`: 0 is the main device, 1 + n spare n. */
export function nameOfTarget(names: DeviceNames, target: number): string {
  const path = pathOfTarget(names, target);
  return target === 0 ? path : `spare ${target - 1} (${path})`;
}

export function pathOfTarget({ main, spares }: DeviceNames, target: number): string {
  return target === 0 ? main : spares[target - 1]!;
}
