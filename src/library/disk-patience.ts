/**
 * How long the last command to a disk that hangs may take, with room to spare: the kernel gives one 30 seconds, and 30
 * again after a reset (drivers/scsi/sd.h, SD_TIMEOUT).
 */
export const DISK_PATIENCE_MS = 90_000;
