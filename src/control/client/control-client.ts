import { type IncomingMessage, request } from 'node:http';
import type { z } from 'zod';
import { DmRemapError, type FailureClass } from '../../library/errors.js';
import type { DeviceResource } from '../schema/device.js';
import type { EventListResource } from '../schema/events.js';
import type { ScrubResource } from '../schema/metadata.js';
import type {
  giveBackSchema,
  HandReportResource,
  moveSchema,
  RemapPageResource,
  RemapResource,
} from '../schema/remaps.js';

/** Asks the process that serves a set, over its control socket. Every call may reject with `DmRemapError`. */
export class ControlClient {
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  device(): Promise<DeviceResource> {
    return this.#ask('GET', '/v1/device') as Promise<DeviceResource>;
  }

  /** All of them, however many parts that takes. */
  async remaps(onlyLost = false): Promise<RemapResource[]> {
    const all: RemapResource[] = [];
    for (let from: number | null = 0; from !== null; ) {
      const path = `/v1/remaps?from=${from}&limit=${PART_COUNT}&lost=${onlyLost}`;
      const page: RemapPageResource = (await this.#ask('GET', path)) as RemapPageResource;
      all.push(...page.remaps);
      from = page.nextSpareUnit;
    }
    return all.sort((one, other) => one.mainUnit - other.mainUnit);
  }

  async events(after = 0): Promise<EventListResource['events']> {
    return ((await this.#ask('GET', `/v1/events?after=${after}`)) as EventListResource).events;
  }

  /** Calls `take` with every event, those that are still known first, until the process ends or `signal` says so. */
  async follow(
    take: (event: EventListResource['events'][number]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.#send(
      'GET',
      '/v1/events',
      { accept: 'text/event-stream' },
      undefined,
      signal,
    );
    let rest = '';
    try {
      for await (const chunk of response.setEncoding('utf8')) {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop()!;
        for (const block of blocks) take(JSON.parse(dataOf(block)));
      }
    } catch (error) {
      if (!signal.aborted && (error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    }
  }

  moveByHand(body: z.input<typeof moveSchema>): Promise<HandReportResource> {
    return this.#ask('POST', '/v1/remaps', body) as Promise<HandReportResource>;
  }

  giveBack(body: z.input<typeof giveBackSchema>): Promise<HandReportResource> {
    return this.#ask('POST', '/v1/remaps/give-back', body) as Promise<HandReportResource>;
  }

  scrubMetadata(): Promise<ScrubResource> {
    return this.#ask('POST', '/v1/metadata/scrub') as Promise<ScrubResource>;
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await this.#send(method, path, {}, body);
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    const answer: unknown = JSON.parse(text);
    if (response.statusCode === 200) return answer;
    const { failure, message } = (answer as FailureAnswer).error;
    throw new DmRemapError(failure === 'notFound' ? 'usage' : failure, message);
  }

  #send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: object,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const json = body === undefined ? undefined : JSON.stringify(body);
    const type = json === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const options = { socketPath: this.socketPath, method, path, headers: { ...headers, ...type }, signal };
      request(options, resolve)
        .on('error', (error: NodeJS.ErrnoException) => {
          const reason = error.code ?? error.message;
          reject(
            new DmRemapError(
              'device',
              `${this.socketPath}: the process that serves it does not answer (${reason})`,
            ),
          );
        })
        .end(json);
    });
  }
}

interface FailureAnswer {
  readonly error: { readonly failure: FailureClass | 'notFound'; readonly message: string };
}

/** Of a block of server-sent events. */
function dataOf(block: string): string {
  const line = block.split('\n').find((one) => one.startsWith('data: '));
  return line === undefined ? 'null' : line.slice('data: '.length);
}

const PART_COUNT = 10_000;
