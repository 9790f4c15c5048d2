import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PlantedFaults, plantFaults, scenarioText } from './planted-faults.js';
import { Random } from './random.js';

/** The files of the demonstration, relative to where it was started, so that commands can be copied. */
export interface DemoFiles {
  readonly main: string;
  readonly spare: string;
  readonly faultsFile: string;
  readonly uri: string;
  readonly socket: string;
  readonly mainSizeBytes: number;
  readonly faults: PlantedFaults;
}

/** Makes the directory with two empty images and a fault scenario, in place of those of an earlier run. */
export function makeDemoFiles(directory: string, seed: number): DemoFiles {
  const main = join(directory, 'main.img');
  const spare = join(directory, 'spare.img');
  const faultsFile = join(directory, 'faults.yaml');
  const socket = join(directory, 'nbd.sock');
  mkdirSync(directory, { recursive: true });
  makeImage(main, MAIN_BYTES);
  makeImage(spare, SPARE_BYTES);
  const faults = plantFaults(MAIN_BYTES / 512, new Random(seed));
  writeFileSync(faultsFile, scenarioText(faults));
  return {
    main,
    spare,
    faultsFile,
    uri: `nbd+unix:///?socket=${socket}`,
    socket,
    mainSizeBytes: MAIN_BYTES,
    faults,
  };
}

function makeImage(path: string, sizeBytes: number): void {
  rmSync(path, { force: true });
  writeFileSync(path, '');
  truncateSync(path, sizeBytes);
}

const MAIN_BYTES = 64 << 20;
const SPARE_BYTES = 16 << 20;
