import { defineConfig } from 'vitest/config';

/** Tests of the laboratory itself; no machine is booted. */
export default defineConfig({ test: { include: ['test/kernel/**/*.test.ts'], testTimeout: 60_000 } });
