import { failed, ok, type Result } from '../base/result.js';
import type { Superblock } from '../format/superblock.js';
import { readDumpHead } from './dump-head.js';
import { type DumpProblem, parseStatement, type Statement } from './dump-statement.js';
import { DumpUnits } from './dump-units.js';
import { DUMP_END, DUMP_HEADER, type DumpEntry } from './set-dump.js';

/**
 * Reads a dump that a person may have edited, and checks all of it: layout, ranges, units that are named twice, lost
 * sectors. What is accepted can be a set. Never throws, whatever the text; tells `MAX_PROBLEMS` problems at most.
 */
export function readDump(text: string, nowSeconds: number): Result<SetDump, readonly DumpProblem[]> {
  const problems: DumpProblem[] = [];
  const statements = statementsOf(text, problems);
  const [header] = statements;
  if (header === undefined || `${header.word} ${header.index}` !== DUMP_HEADER)
    return failed([{ line: header?.line ?? 1, message: `is not a dump: "${DUMP_HEADER}" comes first` }]);
  const isUnit = ({ word }: Statement): boolean => word === 'remap' || word === 'retired';
  const head = readDumpHead(
    statements.slice(1).filter((statement) => !isUnit(statement) && !isEnd(statement)),
    problems,
  );
  if (problems.length < MAX_PROBLEMS && !statements.some(isEnd))
    problems.push({ line: statements.at(-1)!.line, message: CUT_OFF });
  if (head === undefined || problems.length > 0) return failed(problems.slice(0, MAX_PROBLEMS));
  const units = new DumpUnits(head, nowSeconds);
  for (const statement of statements) {
    if (!isUnit(statement)) continue;
    const problem = units.add(statement);
    if (problem !== undefined) problems.push(problem);
    if (problems.length === MAX_PROBLEMS) break;
  }
  return problems.length > 0 ? failed(problems) : ok({ superblock: head, entries: units.entries });
}

export interface SetDump {
  /** Its sequence and generation are 1 and say nothing; pages of the map count as never written. */
  readonly superblock: Superblock;
  readonly entries: readonly DumpEntry[];
}

function isEnd({ word, index, values }: Statement): boolean {
  return word === DUMP_END && index === undefined && values.size === 0;
}

const CUT_OFF = `no line "${DUMP_END}" follows, so the text was cut off; take a whole one (add the line only if nothing is missing)`;

/** More would not be read. */
export const MAX_PROBLEMS = 20;
/** Far longer than any statement. */
const MAX_LINE_CHARACTERS = 4096;

function statementsOf(text: string, problems: DumpProblem[]): Statement[] {
  const statements: Statement[] = [];
  let start = 0;
  for (let line = 1; start < text.length && problems.length < MAX_PROBLEMS; line += 1) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const parsed =
      end - start > MAX_LINE_CHARACTERS
        ? failed({ line, message: `is longer than ${MAX_LINE_CHARACTERS} characters` })
        : parseStatement(text.slice(start, end), line);
    if (!parsed.ok) problems.push(parsed.error);
    else if (parsed.value !== undefined) statements.push(parsed.value);
    start = end + 1;
  }
  return statements;
}
