import { linearTable, MappedDevice } from '../test/kernel/lab/guest/device-mapper.js';
import { dmremap, serve } from '../test/kernel/lab/guest/dmremap.js';
import type { Guest } from '../test/kernel/lab/guest/guest.js';
import { NbdAttachment } from '../test/kernel/lab/guest/nbd-client.js';

/** The RAM disks of the machine, all of one size and with contents. */
export interface BenchDisks {
  /** For everybody but ours, who want theirs for themselves. */
  readonly shared: string;
  readonly ours: { readonly main: string; readonly spare: string };
  /** A set with remaps. */
  readonly oursRemapped: { readonly main: string; readonly spare: string };
}

/** A block device to measure. */
export interface Attached {
  readonly path: string;
  /** The process that serves it, where one does. */
  readonly serverPid?: number;
}

/** What is measured, by name. `peerPath`: the compiled `ublk-peer.c`. */
export const UBLK_CONTENDERS = {
  raw: async (_guest, { shared }) => ({ path: shared }),
  'dm-linear': async (guest, { shared }) => MappedDevice.create(guest, 'linear', linearTable(shared)),
  loop: async (guest, { shared }) => ({ path: await loop(guest, shared) }),
  'nbd, nbdkit': async (guest, { shared }) => {
    const socket = '/run/lab/nbdkit.sock';
    const { pid } = guest.start(['nbdkit', '-f', '-U', socket, 'file', shared]);
    await guest.run(['sh', '-c', `until [ -e ${socket} ]; do sleep 0.1; done`]);
    return { path: (await NbdAttachment.create(guest, socket)).path, serverPid: pid };
  },
  'ublk, C peer': async (guest, { shared }, peerPath) => {
    await guest.modprobe('ublk_drv');
    const program = guest.start([peerPath, shared]);
    guest.atEnd(async () => {
      program.kill('SIGTERM');
      await program.finish();
    });
    const [, path] = await program.line(/^ready (\S+)/);
    return { path: path!, serverPid: program.pid };
  },
  'ublk, ours': async (guest, { ours: { main, spare } }) => {
    await dmremap(guest, ['format', '--main', main, '--spare', spare, '--yes']);
    return ours(guest, main, spare);
  },
  'ublk, ours, remaps': async (guest, { oursRemapped: { main, spare } }) => ours(guest, main, spare),
} as const satisfies Record<string, Contender>;

export type UblkContenderName = keyof typeof UBLK_CONTENDERS;

export const UBLK_CONTENDER_NAMES = Object.keys(UBLK_CONTENDERS) as readonly UblkContenderName[];

type Contender = (guest: Guest, disks: BenchDisks, peerPath: string) => Promise<Attached>;

async function loop(guest: Guest, path: string): Promise<string> {
  await guest.modprobe('loop');
  const { stdout } = await guest.run(['losetup', '--find', '--show', '--direct-io=on', path]);
  guest.atEnd(async () => {
    await guest.run(['losetup', '--detach', stdout.trim()]);
  });
  return stdout.trim();
}

async function ours(guest: Guest, main: string, spare: string): Promise<Attached> {
  const { path, program } = await serve(guest, { main, spares: [spare], frontend: 'ublk' });
  return { path, serverPid: program.pid };
}
