/** `npm start`: makes the checkout ready where needed, then runs the demonstration (src/demo) in this process. */
import { prepare } from './prepare.js';

prepare();
await import('../dist/demo/main.js');
