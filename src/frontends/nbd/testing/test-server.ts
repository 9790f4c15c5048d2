import { plainMemory } from '../../../ports/io-memory.js';
import type { ServedGeometry } from '../../../ports/served-device.js';
import { ArrayDevice } from '../../testing/array-device.js';
import { TestLoop } from '../../testing/test-loop.js';
import { Option } from '../protocol.js';
import { type NbdEvent, NbdServer } from '../server.js';
import { FirstFitPool } from './first-fit-pool.js';
import { MemoryStream } from './memory-stream.js';
import { contextData, infoData, optionBytes, u32 } from './test-client.js';

export interface TestServerOptions {
  readonly geometry?: Partial<ServedGeometry>;
  readonly slotCount?: number;
  readonly memoryBytes?: number;
  readonly chooseIndex?: (count: number) => number;
}

/** A server over an array device, with in-memory clients. */
export class TestServer {
  readonly loop: TestLoop;
  readonly device: ArrayDevice;
  readonly pool: FirstFitPool;
  readonly server: NbdServer;
  readonly events: NbdEvent[] = [];
  private readonly memory: ReturnType<typeof plainMemory>;

  constructor(options: TestServerOptions = {}) {
    this.memory = plainMemory(options.memoryBytes ?? 16 << 20);
    this.loop = new TestLoop(options.chooseIndex);
    this.device = new ArrayDevice(this.memory, this.loop, options.geometry, options.slotCount);
    this.pool = new FirstFitPool(this.memory.bytes.length);
    this.server = new NbdServer({
      device: this.device,
      memory: this.memory,
      buffers: this.pool,
      scheduler: this.loop,
      exportName: 'disk',
      description: 'a test disk',
      onEvent: (event) => this.events.push(event),
    });
    this.loop.poll = () => {
      this.server.poll();
    };
  }

  /** A connected client; the greeting has been sent. */
  connect(): MemoryStream {
    const stream = new MemoryStream(this.memory, this.loop);
    this.server.accept(stream);
    this.loop.settle();
    return stream;
  }

  /** A client in the transmission phase, all replies of the handshake taken. */
  connectAndGo(structured: boolean, contexts: readonly string[] = []): MemoryStream {
    const stream = this.connect();
    stream.feed(u32(3));
    if (structured) stream.feed(optionBytes(Option.structuredReply));
    if (contexts.length > 0) {
      stream.feed(optionBytes(Option.setMetaContext, contextData('disk', ...contexts)));
    }
    stream.feed(optionBytes(Option.go, infoData('disk')));
    this.loop.settle();
    stream.takeSent();
    return stream;
  }

  /** Nothing is held but the header area. */
  get isIdle(): boolean {
    const { connections, requests, slots, buffers } = this.server.usage;
    const held = connections + requests + slots + buffers;
    return held === 0 && this.pool.count === 1 && this.device.slotsInUse === 0;
  }
}
