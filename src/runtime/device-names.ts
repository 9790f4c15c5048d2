/** How the devices of a set are called in messages. */
export interface DeviceNames {
  readonly main: string;
  /** By spare index. */
  readonly spares: readonly string[];
}

/** `target`: 0 is the main device, 1 + n spare n. */
export function nameOfTarget({ main, spares }: DeviceNames, target: number): string {
  return target === 0 ? main : `spare ${target - 1} (${spares[target - 1]})`;
}
