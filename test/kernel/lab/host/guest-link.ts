import { createServer, type Server, type Socket } from 'node:net';
import { messageReader, type ToGuest, type ToHost } from '../messages.js';

/** The host's end of the wire to a guest: a unix socket that QEMU connects to as it starts. */
export class GuestLink {
  readonly socketPath: string;
  private readonly server: Server;
  private socket: Socket | null = null;

  static async listen(socketPath: string, receive: (message: ToHost) => void): Promise<GuestLink> {
    const link = new GuestLink(socketPath, receive);
    await new Promise<void>((resolve, reject) => {
      link.server.once('error', reject);
      link.server.listen(socketPath, resolve);
    });
    return link;
  }

  private constructor(socketPath: string, receive: (message: ToHost) => void) {
    this.socketPath = socketPath;
    this.server = createServer((socket) => {
      this.socket = socket;
      socket.on('data', messageReader<ToHost>(receive));
      // A killed QEMU leaves a broken connection: its end is heard of elsewhere.
      socket.on('error', () => socket.destroy());
    });
  }

  send(message: ToGuest): void {
    this.socket?.write(`${JSON.stringify(message)}\n`);
  }

  close(): void {
    this.socket?.destroy();
    this.server.close();
  }
}
