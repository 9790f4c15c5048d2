import type { IoMemory } from '../../ports/io-memory.js';
import type { ServedDevice, StateRun } from '../../ports/served-device.js';
import { RunState } from '../../ports/served-device.js';
import { STATUS_CHUNK_BYTES } from './limits.js';
import { contextFlags } from './meta-contexts.js';
import { CHUNK_HEADER_BYTES, Chunk } from './protocol.js';
import type { ReplyEncoder } from './reply-encoder.js';
import type { RequestTable } from './request-table.js';

const CONTEXT_ID_BYTES = 4;
const EXTENT_BYTES = 8;
/** Runs looked at for one chunk: bounds the time of one turn, also where all runs merge into one extent. */
const MAX_RUNS = Math.floor((STATUS_CHUNK_BYTES - CHUNK_HEADER_BYTES - CONTEXT_ID_BYTES) / EXTENT_BYTES);

/** Fills BLOCK_STATUS chunks from what the device says about its blocks. */
export class BlockStatus {
  private readonly memory: IoMemory;
  private readonly device: ServedDevice;
  private readonly requests: RequestTable;
  private readonly encoder: ReplyEncoder;
  private readonly run: StateRun = { lengthBytes: 0, state: 0 };

  constructor(memory: IoMemory, device: ServedDevice, requests: RequestTable, encoder: ReplyEncoder) {
    this.memory = memory;
    this.device = device;
    this.requests = requests;
    this.encoder = encoder;
  }

  /** Writes one chunk of at most `STATUS_CHUNK_BYTES` to `at`; returns its length. */
  writeChunk(at: number, request: number, contextId: number, chunkFlags: number, onlyOne: boolean): number {
    const extentsAt = at + CHUNK_HEADER_BYTES + CONTEXT_ID_BYTES;
    const extentCount = this.writeExtents(extentsAt, request, contextId, onlyOne);
    const payloadBytes = CONTEXT_ID_BYTES + extentCount * EXTENT_BYTES;
    this.encoder.chunkHeader(at, request, chunkFlags, Chunk.blockStatus, payloadBytes);
    this.memory.view.setUint32(at + CHUNK_HEADER_BYTES, contextId);
    return CHUNK_HEADER_BYTES + payloadBytes;
  }

  /** Where the first lost block of a range is, or -1: looks at a bounded number of runs. */
  firstLost(offsetBytes: number, lengthBytes: number): number {
    const endBytes = offsetBytes + lengthBytes;
    for (let runs = 0; runs < MAX_RUNS && offsetBytes < endBytes; runs += 1) {
      this.device.describeRun(offsetBytes, endBytes - offsetBytes, this.run);
      if (this.run.state & RunState.lost) return offsetBytes;
      offsetBytes += this.run.lengthBytes;
    }
    return -1;
  }

  /** Neighbours that look alike in this context become one extent. Returns the number of extents, at least 1. */
  private writeExtents(at: number, request: number, contextId: number, onlyOne: boolean): number {
    const view = this.memory.view;
    let offsetBytes = this.requests.offsetBytes[request]!;
    const endBytes = offsetBytes + this.requests.lengthBytes[request]!;
    let count = 0;
    let extentBytes = 0;
    let extentFlags = 0;
    for (let runs = 0; runs < MAX_RUNS && offsetBytes < endBytes; runs += 1) {
      this.device.describeRun(offsetBytes, endBytes - offsetBytes, this.run);
      const flags = contextFlags(contextId, this.run.state);
      if (count === 0 || flags !== extentFlags) {
        if (count === 1 && onlyOne) break;
        count += 1;
        extentBytes = 0;
        extentFlags = flags;
      }
      extentBytes += this.run.lengthBytes;
      offsetBytes += this.run.lengthBytes;
      view.setUint32(at + (count - 1) * EXTENT_BYTES, extentBytes);
      view.setUint32(at + (count - 1) * EXTENT_BYTES + 4, extentFlags);
    }
    return count;
  }
}
