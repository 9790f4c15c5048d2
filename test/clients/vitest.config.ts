import { defineConfig } from 'vitest/config';

/** Foreign NBD clients against `dmremap run`: needs the built program, libnbd-bin, qemu-utils, fio and nbdkit. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});
