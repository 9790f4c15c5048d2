/**
 * A thread like that of a device (`runtime/device-thread.ts`), except that it shares its device although it injects
 * faults: those of the test have no state, so that every thread may inject the same ones.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openDevice } from '../../dist/kernel/open-device.js';
import { chooseBackend } from '../../dist/runtime/backend.js';
import { CallServer } from '../../dist/runtime/call-server.js';
import { Mailbox } from '../../dist/runtime/mailbox.js';
import { readFaultScenario } from '../../dist/runtime/read-fault-scenario.js';
import { mapDeviceMemory, startDevice } from '../../dist/runtime/start-device.js';

const backend = chooseBackend('uring', workerData.wakeUpFd).value;
const mailbox = new Mailbox(parentPort, backend);
const { memory } = mapDeviceMemory(workerData.ublkMemoryBytes);
const scenario = readFaultScenario(workerData.faults).value;
startDevice({ ...workerData, scenario }, backend, memory, mailbox, (started) => {
  if (!started.ok) throw new Error(started.error.message);
  const paths = [workerData.main, ...workerData.spares];
  const sharedDevices = paths.map((path) => openDevice(path, { readOnly: false, exclusive: false }).value);
  const calls = new CallServer({ ...started.value, sharedDevices }, mailbox, () => {
    mailbox.close();
    backend.reactor.stop();
  });
  mailbox.post({ kind: 'opened', info: started.value.info });
  mailbox.listen((message) => calls.handle(message));
});
backend.reactor.run();
backend.reactor.close();
memory.unmap();
