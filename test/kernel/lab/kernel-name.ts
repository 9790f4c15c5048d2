/**
 * The kernels scenarios run on. 6.12: Debian 12's current one, ublk without zero copy. 6.18: from trixie-backports,
 * ublk with registered and automatically registered buffers.
 */
export const KERNEL_NAMES = ['6.12', '6.18'] as const;

export type KernelName = (typeof KERNEL_NAMES)[number];
