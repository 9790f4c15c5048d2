import { errorCode } from './error-code.js';
import { expect } from './expect.js';
import type { PatternFile } from './pattern-file.js';
import { describeContents, type SectorContents } from './sector-pattern.js';

/**
 * Writes whole units and remembers what was acknowledged, so that it can be told afterwards whether all of it is there:
 * a unit must hold its last acknowledged generation, or one that was tried after it and failed.
 */
export class WriteLedger {
  /** Errors that writes ended with, and how often. */
  readonly errors = new Map<string, number>();
  private readonly entries = new Map<number, { acknowledged: number | null; triedAfter: number[] }>();

  get failedWriteCount(): number {
    return [...this.errors.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Answers with the error code, or null. */
  async write(file: PatternFile, unit: number, generation: number): Promise<string | null> {
    const entry = this.entries.get(unit) ?? { acknowledged: null, triedAfter: [] };
    this.entries.set(unit, entry);
    entry.triedAfter.push(generation);
    const code = await errorCode(file.write(unit * UNIT_SECTORS, UNIT_SECTORS, generation));
    if (code === null) {
      entry.acknowledged = generation;
      entry.triedAfter.length = 0;
    } else {
      this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    }
    return code;
  }

  /** Nothing is expected of this unit any more. */
  forget(unit: number): void {
    this.entries.delete(unit);
  }

  /** Reads every unit that was ever acknowledged; throws, naming some, unless all is there. */
  async check(file: PatternFile): Promise<void> {
    const wrong: string[] = [];
    for (const [unit, { acknowledged, triedAfter }] of this.entries) {
      if (acknowledged === null) continue;
      const allowed = [acknowledged, ...triedAfter];
      const text = await this.troubleOf(file, unit, allowed);
      if (text !== null) wrong.push(`unit ${unit}: ${text}, not of generation ${allowed.join(' or ')}`);
    }
    expect(wrong.length === 0, `${wrong.length} wrong units\n${wrong.slice(0, 10).join('\n')}`);
  }

  private async troubleOf(
    file: PatternFile,
    unit: number,
    allowed: readonly number[],
  ): Promise<string | null> {
    const first = unit * UNIT_SECTORS;
    let sectors: SectorContents[] = [];
    const code = await errorCode(file.read(first, UNIT_SECTORS).then((read) => (sectors = read)));
    if (code !== null) return code;
    const odd = sectors.find(
      (one, index) =>
        one.kind !== 'pattern' || one.lba !== first + index || !allowed.includes(one.generation),
    );
    return odd === undefined ? null : describeContents(odd);
  }
}

/** Units of 4096 bytes, the default. */
export const UNIT_SECTORS = 8;
