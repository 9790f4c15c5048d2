import { defineConfig } from 'vitest/config';

/** Unit and property tests: sources as they are, no build, no other process. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    testTimeout: 60_000,
  },
});
