import { defineConfig } from 'vitest/config';

/** Whether the simulator finds bugs that are planted in the compiled product: some minutes. Needs `dist`. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    testTimeout: 600_000,
  },
});
