import { defineConfig } from 'vitest/config';

/** Unit and property tests, also of the laboratory: sources as they are, no build, no other process, no machine. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/kernel/lab/**/*.test.ts'],
    testTimeout: 60_000,
  },
});
