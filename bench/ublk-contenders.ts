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

export interface BenchPrograms {
  /** The compiled `ublk-peer.c`. */
  readonly peerPath: string;
  /** Options of node for our own programs. */
  readonly nodeOptions: readonly string[];
}

/** What is measured, by name; each makes a block device and answers with its path. */
export const UBLK_CONTENDERS = {
  raw: async (_guest, { shared }) => shared,
  'dm-linear': async (guest, { shared }) =>
    (await MappedDevice.create(guest, 'linear', linearTable(shared))).path,
  loop: async (guest, { shared }) => loop(guest, shared),
  'nbd, nbdkit': async (guest, { shared }) => {
    const socket = '/run/lab/nbdkit.sock';
    guest.start(['nbdkit', '-f', '-U', socket, 'file', shared]);
    await guest.run(['sh', '-c', `until [ -e ${socket} ]; do sleep 0.1; done`]);
    return (await NbdAttachment.create(guest, socket)).path;
  },
  'ublk, C peer': async (guest, { shared }, { peerPath }) => {
    await guest.modprobe('ublk_drv');
    const program = guest.start([peerPath, shared]);
    guest.atEnd(async () => {
      program.kill('SIGTERM');
      await program.finish();
    });
    return (await program.line(/^ready (\S+)/))[1]!;
  },
  'ublk, ours': async (guest, { ours: { main, spare } }, { nodeOptions }) => {
    await dmremap(guest, ['format', '--main', main, '--spare', spare, '--yes']);
    return (await serve(guest, { main, spares: [spare], frontend: 'ublk', nodeOptions })).path;
  },
  'ublk, ours, remaps': async (guest, { oursRemapped: { main, spare } }, { nodeOptions }) =>
    (await serve(guest, { main, spares: [spare], frontend: 'ublk', nodeOptions })).path,
} as const satisfies Record<string, Contender>;

export type UblkContenderName = keyof typeof UBLK_CONTENDERS;

export const UBLK_CONTENDER_NAMES = Object.keys(UBLK_CONTENDERS) as readonly UblkContenderName[];

type Contender = (guest: Guest, disks: BenchDisks, programs: BenchPrograms) => Promise<string>;

async function loop(guest: Guest, path: string): Promise<string> {
  await guest.modprobe('loop');
  const { stdout } = await guest.run(['losetup', '--find', '--show', '--direct-io=on', path]);
  guest.atEnd(async () => {
    await guest.run(['losetup', '--detach', stdout.trim()]);
  });
  return stdout.trim();
}
