import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of the checkout, the same path on the host and inside a machine. This file is compiled into dist/lab/test/kernel/lab. */
export const projectDirectory = join(fileURLToPath(import.meta.url), '../../../../../..');
