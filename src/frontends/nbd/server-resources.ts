import type { IoMemory } from '../../ports/io-memory.js';
import type { RequestSink, ServedDevice } from '../../ports/served-device.js';
import { UnflushedWrites } from '../flush-history.js';
import { BlockStatus } from './block-status.js';
import type { BufferPool } from './buffer-pool.js';
import { InboxBlocks } from './inbox-blocks.js';
import { MAX_CONNECTIONS, REPLY_HEADER_BYTES, REQUEST_CAPACITY, SPARE_INBOXES } from './limits.js';
import { ReplyEncoder } from './reply-encoder.js';
import { RequestTable } from './request-table.js';
import type { ServedExport } from './served-export.js';
import { SharedBuffers } from './shared-buffers.js';
import { SlotTable } from './slot-table.js';
import { StatisticsCounters } from './statistics.js';

/** Everything the connections of one server share. */
export class ServerResources {
  readonly device: ServedDevice;
  readonly memory: IoMemory;
  readonly served: ServedExport;
  readonly buffers: SharedBuffers;
  readonly requests = new RequestTable(REQUEST_CAPACITY);
  readonly slots: SlotTable;
  readonly inboxes: InboxBlocks;
  readonly encoder: ReplyEncoder;
  readonly blockStatus: BlockStatus;
  readonly unflushed: UnflushedWrites;
  readonly statistics = new StatisticsCounters();
  /** Grows by one every `TICK_MS` while there are connections: time without asking a clock per request. */
  tick = 0;
  private readonly pool: BufferPool;
  private readonly headersOffset: number;

  constructor(
    device: ServedDevice,
    memory: IoMemory,
    pool: BufferPool,
    served: ServedExport,
    sink: RequestSink,
    headersOffset: number,
  ) {
    this.device = device;
    this.memory = memory;
    this.pool = pool;
    this.served = served;
    this.headersOffset = headersOffset;
    this.unflushed = new UnflushedWrites(device);
    this.buffers = new SharedBuffers(pool);
    this.slots = new SlotTable(device, sink);
    this.inboxes = new InboxBlocks(this.buffers, MAX_CONNECTIONS + SPARE_INBOXES);
    this.encoder = new ReplyEncoder(memory, this.requests, headersOffset);
    this.blockStatus = new BlockStatus(memory, device, this.requests, this.encoder);
  }

  /** The connection waits for nothing any more: others may go first. */
  giveUpTurns(connection: number): void {
    this.buffers.gate.passed(connection);
    this.slots.gate.passed(connection);
    this.requests.gate.passed(connection);
  }

  /** Gives the header area back to the pool; nothing works afterwards. */
  close(): void {
    this.pool.free(this.headersOffset);
  }
}

/** Memory for the reply headers of all requests, taken from the pool once. */
export const HEADER_AREA_BYTES = REQUEST_CAPACITY * REPLY_HEADER_BYTES;
