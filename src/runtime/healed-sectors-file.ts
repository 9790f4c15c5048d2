import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { failed, ok, type Result } from '../base/result.js';
import type { HealedSectors } from '../storage/fault-store.js';
import type { SectorRange } from '../storage/sector-ranges.js';
import type { Failure } from './failure.js';
import { failure } from './failure.js';

/**
 * Which injected faults a write has healed, kept in a file beside the scenario, so that a restart does not make good
 * sectors bad again. Each line names the image it is about by what a new file under the old name does not share.
 */
export class HealedSectorsFile implements HealedSectors {
  readonly #path: string;
  readonly #image: string;
  readonly #known: readonly SectorRange[];

  static open(scenarioPath: string, imagePath: string): Result<HealedSectorsFile, Failure> {
    const path = `${scenarioPath}.healed`;
    try {
      appendFileSync(path, '');
      return ok(new HealedSectorsFile(path, imagePath));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return failed(
        failure(
          'usage',
          `${path}: can't be written (${code}); healsOnWrite needs it, move the scenario to a writable folder`,
        ),
      );
    }
  }

  private constructor(path: string, imagePath: string) {
    const { dev, ino, birthtimeMs, rdev } = statSync(imagePath);
    this.#path = path;
    this.#image = rdev === 0 ? `${dev}:${ino}:${Math.round(birthtimeMs)}` : `device ${rdev}`;
    this.#known = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(`${this.#image} `))
      .map((line) => rangeOf(line.slice(this.#image.length + 1)));
  }

  known(): readonly SectorRange[] {
    return this.#known;
  }

  remember({ start, end }: SectorRange): void {
    appendFileSync(this.#path, `${this.#image} ${start}-${end - 1}\n`);
  }
}

function rangeOf(text: string): SectorRange {
  const [first, last] = text.split('-').map(Number);
  return { start: first!, end: last! + 1 };
}
