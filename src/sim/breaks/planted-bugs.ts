import { ACCOUNT_BUGS } from './account-bugs.js';
import { COMMAND_BUGS } from './command-bugs.js';
import { COMMIT_BUGS } from './commit-bugs.js';
import { EVACUATION_BUGS } from './evacuation-bugs.js';
import { FLUSH_BUGS } from './flush-bugs.js';
import { MOVE_BUGS } from './move-bugs.js';
import { OUTAGE_BUGS } from './outage-bugs.js';
import type { PlantedBug } from './planted-bug.js';
import { REQUEST_BUGS } from './request-bugs.js';
import { RULE_BUGS } from './rule-bugs.js';
import { START_BUGS } from './start-bugs.js';

/** All of them, as `--list-breaks` shows them. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...COMMIT_BUGS,
  ...START_BUGS,
  ...MOVE_BUGS,
  ...REQUEST_BUGS,
  ...OUTAGE_BUGS,
  ...COMMAND_BUGS,
  ...EVACUATION_BUGS,
  ...RULE_BUGS,
  ...FLUSH_BUGS,
  ...ACCOUNT_BUGS,
];
