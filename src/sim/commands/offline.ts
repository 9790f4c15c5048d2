import { check } from '../check-failure.js';
import { injectFault } from '../inject-fault.js';
import type { OfflineStep } from './command-step.js';
import { type OfflineParts, OfflineSession } from './offline-session.js';
import { restore } from './restore.js';

/** No process is at work. Whatever is done, however it ends, the map is what it was. */
export function runOffline(parts: OfflineParts, { faults, commands }: OfflineStep): void {
  for (const fault of faults) injectFault(parts, fault);
  const isDisturbed = faults.some(({ kind }) => kind !== 'metadata');
  for (const command of commands) {
    const session = new OfflineSession(parts, command.interruption, isDisturbed);
    if (command.command === 'repair') repair(session);
    else restore(session, command.command);
  }
}

function repair(session: OfflineSession): void {
  session.parts.statistics.repairs += 1;
  const set = session.surveyUsable();
  const map = session.readMap();
  const errno = session.repair(set);
  session.checkMap(map, 'a repair');
  check(errno === undefined || errno === 0 || session.isDisturbed, 'offline', `a repair fails with ${errno}`);
  if (errno === 0) session.checkWhole('a repair');
}
