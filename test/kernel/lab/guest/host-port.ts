import { close, existsSync, openSync, read, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { messageReader, type ToGuest, type ToHost } from '../messages.js';

/** The guest's end of the wire to the host: a virtio-serial port, which can be opened once only. */
export class HostPort {
  private readonly fd = openSync(portPath(), 'r+');

  /** Never ends; every message is handed over once. */
  listen(receive: (message: ToGuest) => void): void {
    const pass = messageReader<ToGuest>(receive);
    const buffer = Buffer.alloc(1 << 16);
    const next = (): void =>
      read(this.fd, buffer, 0, buffer.length, null, (error, lengthBytes) => {
        if (error !== null || lengthBytes === 0) {
          close(this.fd);
          throw new Error(`the wire to the host broke: ${error?.message ?? 'closed'}`);
        }
        pass(buffer.subarray(0, lengthBytes));
        next();
      });
    next();
  }

  /** The kernel has it, in order, when this returns; the port takes pieces of at most 32 KiB. */
  send(message: ToHost): void {
    const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
    for (let sent = 0; sent < bytes.length; ) {
      sent += writeSync(this.fd, bytes, sent, Math.min(bytes.length - sent, 1 << 15));
    }
  }
}

function portPath(): string {
  const directory = '/sys/class/virtio-ports';
  const port = readdirSync(directory).find((entry) => {
    const name = join(directory, entry, 'name');
    return existsSync(name) && readFileSync(name, 'utf8').trim() === PORT_NAME;
  });
  if (port === undefined) throw new Error(`no virtio-serial port ${PORT_NAME}`);
  return join('/dev', port);
}

const PORT_NAME = 'lab';
