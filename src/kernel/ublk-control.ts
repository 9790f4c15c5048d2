import { constants } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { failed, ok, type Result } from '../base/result.js';
import { type MappedMemory, mapMemory } from './aligned-memory.js';
import { close, ioUringEnter, open } from './ffi.js';
import { mapRing, type RingMapping } from './ring-mapping.js';
import { CONTROL, CONTROL_CMD, DEV_INFO, PARAMS } from './ublk-abi.js';
import { decodeDeviceInfo, encodeDeviceInfo, type UblkDeviceInfo } from './ublk-device-info.js';
import { encodeParams, type UblkParams } from './ublk-params.js';
import { CQE_WORD, ENTER, OP, SETUP, SQE_WORD } from './uring-abi.js';

/**
 * The control commands of the ublk driver. Each is carried out by a thread of the kernel and may take as long as it
 * likes (START_DEV until every tag was fetched, STOP_DEV until the last I/O ended), so the answer is looked for now
 * and then and the event loop of the caller goes on. One command at a time. Answers are 0 or a negative errno unless
 * said. Needs CAP_SYS_ADMIN.
 */
export class UblkControl {
  readonly #fd: number;
  readonly #ring: RingMapping;
  /** The payload of the command at work; the kernel reads and writes it until the completion. */
  readonly #payload: MappedMemory = mapMemory(PAYLOAD_BYTES);
  #isBusy = false;

  /** The error is a positive errno: ENOENT where the driver is not loaded, EACCES or EPERM without the rights. */
  static open(): Result<UblkControl, number> {
    const fd = open(CONTROL_PATH, constants.O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) return failed(-fd);
    const ring = mapRing(RING_ENTRIES, RING_ENTRIES * 2, [SETUP.SQE128 | SETUP.CQSIZE]);
    if (ring.ok) return ok(new UblkControl(fd, ring.value));
    close(fd);
    return failed(ring.error.errno);
  }

  private constructor(fd: number, ring: RingMapping) {
    this.#fd = fd;
    this.#ring = ring;
  }

  close(): void {
    assert(!this.#isBusy, 'closed with a command at work');
    this.#ring.release();
    this.#payload.unmap();
    close(this.#fd);
  }

  /** `FEATURE_FLAG` bits that the driver knows; 0 where it is too old to say (before Linux 6.5). */
  async features(): Promise<number> {
    const result = await this.#command(CONTROL.GET_FEATURES, NO_DEVICE, FEATURES_BYTES, 0);
    // Bits from 32 on are of no interest.
    return result < 0 ? 0 : this.#payload.view.getUint32(0, true);
  }

  /** A new device; the driver picks the number, and may lower what was asked: use the answer. */
  async add(wanted: Omit<UblkDeviceInfo, 'deviceId' | 'state'>): Promise<Result<UblkDeviceInfo, number>> {
    encodeDeviceInfo({ ...wanted, deviceId: ANY_DEVICE, state: 0 }, this.#payload.view);
    const result = await this.#command(CONTROL.ADD_DEV, ANY_DEVICE, DEV_INFO.SIZE_BYTES, 0);
    return result < 0 ? failed(-result) : ok(decodeDeviceInfo(this.#payload.view));
  }

  /** ENODEV where there is no such device. */
  async info(deviceId: number): Promise<Result<UblkDeviceInfo, number>> {
    const result = await this.#command(CONTROL.GET_DEV_INFO, deviceId, DEV_INFO.SIZE_BYTES, 0);
    return result < 0 ? failed(-result) : ok(decodeDeviceInfo(this.#payload.view));
  }

  /** Before `start` only. */
  setParams(deviceId: number, params: UblkParams): Promise<number> {
    encodeParams(params, this.#payload.view);
    return this.#command(CONTROL.SET_PARAMS, deviceId, PARAMS.SIZE_BYTES, 0);
  }

  /** Makes /dev/ublkbN appear; answers when every tag of every queue was fetched. */
  start(deviceId: number): Promise<number> {
    return this.#command(CONTROL.START_DEV, deviceId, 0, process.pid);
  }

  /** Makes /dev/ublkbN go away; answers when the I/O in flight has ended. */
  stop(deviceId: number): Promise<number> {
    return this.#command(CONTROL.STOP_DEV, deviceId, 0, 0);
  }

  /** Answers when nobody holds the device any more: /dev/ublkcN open or mapped, /dev/ublkbN open or mounted. */
  delete(deviceId: number): Promise<number> {
    return this.#command(CONTROL.DEL_DEV, deviceId, 0, 0);
  }

  /** As `delete`, answering at once; the number becomes free later. EOPNOTSUPP before Linux 6.9. */
  deleteUnwaited(deviceId: number): Promise<number> {
    return this.#command(CONTROL.DEL_DEV_ASYNC, deviceId, 0, 0);
  }

  /** -EBUSY while the earlier server is still being torn down. */
  startRecovery(deviceId: number): Promise<number> {
    return this.#command(CONTROL.START_USER_RECOVERY, deviceId, 0, 0);
  }

  /** Lets I/O go on; answers when every tag was fetched by the new server. */
  endRecovery(deviceId: number): Promise<number> {
    return this.#command(CONTROL.END_USER_RECOVERY, deviceId, 0, process.pid);
  }

  async #command(operation: number, deviceId: number, payloadBytes: number, data: number): Promise<number> {
    assert(!this.#isBusy, 'one control command at a time');
    this.#isBusy = true;
    this.#submit(operation, deviceId, payloadBytes, data);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const result = this.#takeCompletion();
      if (result !== undefined) {
        this.#isBusy = false;
        return result;
      }
      await delay(pauseMs);
    }
  }

  #submit(operation: number, deviceId: number, payloadBytes: number, data: number): void {
    const { words, entryWords, sqTailWord, sqEntries, fd } = this.#ring;
    const tail = Atomics.load(words, sqTailWord);
    const first = (tail & (sqEntries - 1)) * WIDE_ENTRY_WORDS;
    const entry = new DataView(entryWords.buffer, first * 4, WIDE_ENTRY_WORDS * 4);
    for (let word = 0; word < WIDE_ENTRY_WORDS; word += 1) entryWords[first + word] = 0;
    entryWords[first + SQE_WORD.HEAD] = OP.URING_CMD;
    entryWords[first + SQE_WORD.FD] = this.#fd;
    entryWords[first + SQE_WORD.OFFSET_LOW] = operation;
    entry.setUint32(COMMAND_AT + CONTROL_CMD.DEV_ID, deviceId, true);
    entry.setUint16(COMMAND_AT + CONTROL_CMD.QUEUE_ID, NO_QUEUE, true);
    entry.setUint16(COMMAND_AT + CONTROL_CMD.LENGTH, payloadBytes, true);
    if (payloadBytes > 0)
      entry.setBigUint64(COMMAND_AT + CONTROL_CMD.ADDRESS, BigInt(this.#payload.address), true);
    entry.setBigUint64(COMMAND_AT + CONTROL_CMD.DATA, BigInt(data), true);
    Atomics.store(words, sqTailWord, (tail + 1) | 0);
    const submitted = ioUringEnter(fd, 1, 0, 0, 0, 0);
    assert(submitted === 1, `the control ring took ${submitted} commands`);
  }

  #takeCompletion(): number | undefined {
    const { words, cqHeadWord, cqTailWord, cqEntries, cqeFirstWord, fd } = this.#ring;
    const head = Atomics.load(words, cqHeadWord);
    if (head === Atomics.load(words, cqTailWord)) {
      const result = ioUringEnter(fd, 0, 0, ENTER.GETEVENTS, 0, 0);
      assert(result >= 0 || result === -ERRNO.EINTR, `the control ring failed: ${result}`);
      if (head === Atomics.load(words, cqTailWord)) return undefined;
    }
    const result = words[cqeFirstWord + (head & (cqEntries - 1)) * CQE_WORDS + CQE_WORD.RESULT]!;
    Atomics.store(words, cqHeadWord, (head + 1) | 0);
    return result;
  }
}

export const CONTROL_PATH = '/dev/ublk-control';
const RING_ENTRIES = 4;
const WIDE_ENTRY_WORDS = 32;
const CQE_WORDS = 4;
/** Where the command's own bytes begin in a submission entry. */
const COMMAND_AT = 48;
const PAYLOAD_BYTES = 4096;
const FEATURES_BYTES = 8;
const NO_QUEUE = 0xffff;
const NO_DEVICE = 0xffff_ffff;
const ANY_DEVICE = 0xffff_ffff;
const O_CLOEXEC = 0x8_0000;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 16;
