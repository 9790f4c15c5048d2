import type { MessagePort } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import type { Backend } from './backend.js';
import type { DeviceNotice } from './device-report.js';
import type { CallMessage, ThreadMessage } from './messages.js';

/**
 * The device thread's end of the connection to the main thread. Posting always works. Receiving depends: with
 * io_uring the thread's event loop stands still, so the main thread posts and then wakes the ring, and the messages
 * are taken from the port by hand.
 */
export class Mailbox {
  readonly #port: MessagePort;
  readonly #backend: Backend;
  #receive: ((message: CallMessage) => void) | undefined;

  constructor(port: MessagePort, backend: Backend) {
    this.#port = port;
    this.#backend = backend;
    if (backend.kind === 'uring') backend.reactor.onWake(() => this.#drain());
  }

  post(message: ThreadMessage, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  tell(notice: DeviceNotice): void {
    this.post({ kind: 'notice', notice });
  }

  /** Starts to hand messages on, with those that came before. */
  listen(receive: (message: CallMessage) => void): void {
    this.#receive = receive;
    if (this.#backend.kind === 'uring') this.#drain();
    else this.#port.on('message', receive);
  }

  /** Nothing is received any more, so the thread can end. */
  close(): void {
    this.#receive = undefined;
    this.#port.close();
  }

  #drain(): void {
    while (this.#receive !== undefined) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      this.#receive(received.message as CallMessage);
    }
  }
}
