import { prctl } from '../src/kernel/ffi.js';

/** linux/prctl.h. */
const PR_SET_IO_FLUSHER = 57;

// Preloaded into our program when it is profiled: otherwise it starts itself again to get this state
// (src/kernel/memory-reclaim.ts), and signals of V8's profiler end it half way.
prctl(PR_SET_IO_FLUSHER, 1);
