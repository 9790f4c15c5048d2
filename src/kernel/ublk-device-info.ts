import { DEV_INFO, FEATURE_FLAG } from './ublk-abi.js';

/** struct ublksrv_ctrl_dev_info: what the driver knows of one device. */
export interface UblkDeviceInfo {
  readonly deviceId: number;
  /** `DEVICE_STATE`. */
  readonly state: number;
  readonly queueCount: number;
  readonly queueDepth: number;
  /** Longest request, and size of each tag's buffer. */
  readonly maxIoBytes: number;
  /** Of the process that serves it, or served it last; -1 before the first start. */
  readonly serverPid: number;
  /** `FEATURE_FLAG`. */
  readonly flags: number;
  /** 64 bits of the server's own, kept by the driver: here the first half of the set id. */
  readonly serverTag: bigint;
}

export function encodeDeviceInfo(info: UblkDeviceInfo, view: DataView): void {
  for (let at = 0; at < DEV_INFO.SIZE_BYTES; at += 4) view.setUint32(at, 0, true);
  view.setUint16(DEV_INFO.QUEUE_COUNT, info.queueCount, true);
  view.setUint16(DEV_INFO.QUEUE_DEPTH, info.queueDepth, true);
  view.setUint16(DEV_INFO.STATE, info.state, true);
  view.setUint32(DEV_INFO.MAX_IO_BUFFER_BYTES, info.maxIoBytes, true);
  view.setUint32(DEV_INFO.DEV_ID, info.deviceId, true);
  view.setInt32(DEV_INFO.SERVER_PID, info.serverPid, true);
  view.setUint32(DEV_INFO.FLAGS, info.flags, true);
  view.setBigUint64(DEV_INFO.SERVER_FLAGS, info.serverTag, true);
}

/** Flags from bit 32 on are not used by any driver so far. */
export function decodeDeviceInfo(view: DataView): UblkDeviceInfo {
  return {
    queueCount: view.getUint16(DEV_INFO.QUEUE_COUNT, true),
    queueDepth: view.getUint16(DEV_INFO.QUEUE_DEPTH, true),
    state: view.getUint16(DEV_INFO.STATE, true),
    maxIoBytes: view.getUint32(DEV_INFO.MAX_IO_BUFFER_BYTES, true),
    deviceId: view.getUint32(DEV_INFO.DEV_ID, true),
    serverPid: view.getInt32(DEV_INFO.SERVER_PID, true),
    flags: view.getUint32(DEV_INFO.FLAGS, true),
    serverTag: view.getBigUint64(DEV_INFO.SERVER_FLAGS, true),
  };
}

/** Requests of this device are reached in the client's own pages. Both flags are set at its creation, or neither. */
export function isZeroCopy({ flags }: UblkDeviceInfo): boolean {
  return (flags & ZERO_COPY_FLAGS) === ZERO_COPY_FLAGS;
}

/** The driver registers each request's pages as a buffer of our ring; those that fail we copy. Linux 6.16. */
export const ZERO_COPY_FLAGS = FEATURE_FLAG.USER_COPY | FEATURE_FLAG.AUTO_BUF_REG;
