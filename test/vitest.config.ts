import { defineConfig } from 'vitest/config';

/** Tests of the built program as its users run it: processes, threads, sockets. They need `dist`. */
export default defineConfig({
  test: {
    include: ['test/cli/**/*.test.ts', 'test/integration/**/*.test.ts', 'test/sim/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 60_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
