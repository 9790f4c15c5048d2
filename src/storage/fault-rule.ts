import type { SectorRanges } from './sector-ranges.js';

/** One fault of a device, as a scenario file states it (docs/fault-scenarios.md). */
export interface FaultRule {
  /** Where; undefined: the whole device. */
  readonly sectors: SectorRanges | undefined;
  /** `OperationBit`s: what is hit. */
  readonly operations: number;
  /** Positive errno; 0: only the delay. */
  readonly errno: number;
  /** How long an operation that is hit waits before it is done or fails. */
  readonly delayMs: number;
  /** How many operations are hit before the rule is used up; Infinity: all. */
  readonly times: number;
  /** A successful write ends the fault for the sectors it covers. */
  readonly healsOnWrite: boolean;
  /** Operations of any kind that the device does before the rule begins. */
  readonly afterOperations: number;
}

/** All faults of a set of devices. */
export interface FaultScenario {
  readonly main: readonly FaultRule[];
  /** Index 0 is the first spare; a spare without rules has an empty list or is missing at the end. */
  readonly spares: readonly (readonly FaultRule[])[];
}

export const OperationBit = { read: 1, write: 2, flush: 4, discard: 8, writeZeroes: 16 } as const;
export type OperationName = keyof typeof OperationBit;
export type Operation = (typeof OperationBit)[OperationName];

export const OPERATION_NAMES = Object.keys(OperationBit) as readonly OperationName[];
