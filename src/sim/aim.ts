import type { FaultStep, RequestStep } from './history.js';
import type { Machine } from './machine.js';
import { placeOfUnit, readMetadata } from './metadata-reader.js';

/** Where the last blocks went bad, so that requests can meet there. */
export class Aim {
  readonly #machine: Machine;
  /** Of the main device, or where the main device had what is on the spare's bad blocks. */
  #block = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get block(): number {
    return this.#block;
  }

  /** Requests are to meet at this block of the main device. */
  pointAt(block: number): void {
    this.#block = block;
  }

  /** The place that goes bad. One that is aimed is that of a unit which lives on the spare just now, if any does. */
  takeBad(step: BadStep): BadStep {
    if (step.target === 0) this.#block = step.block;
    if (step.target === 0 || !step.isAimed) return step;
    const { blockBytes, unitBytes } = this.#machine.scenario;
    const set = readMetadata(this.#machine.spareBytes);
    const places = (set?.mappings ?? []).map(({ spareUnit, mainUnit }) => ({
      ...placeOfUnit(set!.superblock, spareUnit),
      mainUnit,
    }));
    const here = places.filter(({ spareIndex }) => 1 + spareIndex === step.target);
    if (here.length === 0) return step;
    const { offsetBytes, mainUnit } = here[step.block % here.length]!;
    const blocksPerUnit = unitBytes / blockBytes;
    this.#block = mainUnit * blocksPerUnit;
    return { ...step, block: offsetBytes / blockBytes + (step.block % blocksPerUnit) };
  }

  /** The same request, with the place where it is to go. */
  resolve(step: RequestStep): RequestStep {
    if (!step.isAimed) return step;
    const { mainBytes, blockBytes } = this.#machine.scenario;
    const blockCount = Math.floor(mainBytes / blockBytes);
    const count = Math.min(step.count, blockCount);
    const first = Math.max(0, Math.min(blockCount - count, this.#block + step.first));
    return { ...step, first, count, isAimed: false };
  }
}

type BadStep = Extract<FaultStep, { kind: 'bad' }>;
