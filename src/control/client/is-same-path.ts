import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';

/** Whether both lead to one file or device, by links or from the working directory. */
export function isSamePath(one: string, other: string): boolean {
  return one === other || resolved(one) === resolved(other);
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // A device that is gone is known by its name only.
    return resolve(path);
  }
}
