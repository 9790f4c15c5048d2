/** `npm run sim -- [OPTIONS]`: makes the checkout ready where needed, then runs the simulator (src/sim) in this process. */
import { prepare } from './prepare.js';

prepare();
await import('../dist/sim/main.js');
