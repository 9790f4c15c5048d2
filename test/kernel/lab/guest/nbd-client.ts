import { existsSync } from 'node:fs';
import type { Guest } from './guest.js';

/** The kernel's NBD driver, connected to a server's unix socket. */
export class NbdAttachment {
  readonly path: string;
  private readonly guest: Guest;
  private attached = true;

  static async create(
    guest: Guest,
    socketPath: string,
    options: {
      readonly blockBytes?: number;
      readonly connections?: number;
      readonly further?: readonly string[];
    } = {},
  ): Promise<NbdAttachment> {
    await guest.modprobe('nbd', 'max_part=16');
    const attachment = new NbdAttachment(guest, freeDevice());
    await guest.run([
      ...['nbd-client', '-unix', socketPath, attachment.path],
      ...['-b', String(options.blockBytes ?? 512), '-C', String(options.connections ?? 1)],
      ...(options.further ?? []),
    ]);
    guest.atEnd(() => attachment.detach());
    return attachment;
  }

  private constructor(guest: Guest, path: string) {
    this.guest = guest;
    this.path = path;
  }

  async detach(): Promise<void> {
    if (!this.attached) return;
    this.attached = false;
    await this.guest.run(['nbd-client', '-d', this.path]);
    while (isConnected(this.path)) await this.guest.sleep(50);
  }
}

function freeDevice(): string {
  for (let index = 0; index < 16; index++) {
    if (!isConnected(`/dev/nbd${index}`)) return `/dev/nbd${index}`;
  }
  throw new Error('all nbd devices are connected');
}

/** The driver shows the client's process while there is a connection. */
function isConnected(path: string): boolean {
  return existsSync(path.replace('/dev/', '/sys/block/').concat('/pid'));
}
