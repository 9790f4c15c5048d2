/**
 * What a database (`database.ts`) was told to be durable, collected outside the machine: every line that it records
 * is one. After a power cut each part must be as said here or newer.
 */
export interface Acknowledged {
  /** Newest generation by sector of the table. */
  readonly table: number[];
  /** Records in the log. */
  logCount: number;
  /** Newest generation by name. */
  readonly files: Record<string, number>;
}

export type Line =
  | readonly ['table', sector: number, sectorCount: number, generation: number]
  | readonly ['log', recordCount: number]
  | readonly ['file', name: string, generation: number];

/** Reads lines as `database.ts` records them; others are passed over. */
export function acknowledgedBy(lines: readonly string[], tableSectors: number): Acknowledged {
  const state: Acknowledged = { table: new Array<number>(tableSectors).fill(0), logCount: 0, files: {} };
  for (const line of lines) if (line.startsWith('[')) apply(JSON.parse(line) as Line, state);
  return state;
}

function apply(line: Line, state: Acknowledged): void {
  switch (line[0]) {
    case 'table': {
      const [, sector, sectorCount, generation] = line;
      state.table.fill(generation, sector, sector + sectorCount);
      return;
    }
    case 'log':
      state.logCount = line[1];
      return;
    case 'file':
      state.files[line[1]] = line[2];
  }
}
