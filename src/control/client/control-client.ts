import { type IncomingMessage, request } from 'node:http';
import type { z } from 'zod';
import { DmRemapError, type FailureClass } from '../../library/errors.js';
import type { DeviceResource } from '../schema/device.js';
import type {
  BegunEvacuationResource,
  EvacuationResource,
  evacuateSchema,
  ReplacedMainResource,
} from '../schema/evacuation.js';
import type { EventListResource } from '../schema/events.js';
import type { JobReport, jobListSchema, oneJobSchema } from '../schema/jobs.js';
import type { ChangeResource, MessageReplyResource } from '../schema/message.js';
import type { ScrubResource } from '../schema/metadata.js';
import type {
  giveBackSchema,
  HandReportResource,
  moveSchema,
  RemapPageResource,
  RemapResource,
} from '../schema/remaps.js';
import type { SettingsChangedResource, SettingsResource } from '../schema/settings.js';
import type {
  AddSpareResource,
  addSpareSchema,
  emptySpareSchema,
  RemovedSpareResource,
  SpareUseResource,
} from '../schema/spares.js';
import { NoAnswer } from './no-answer.js';

/** Asks the process that serves a set, over its control socket. Every call may reject with `DmRemapError`. */
export class ControlClient {
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** Rejects with `NoAnswer` also when `signal` says so. */
  device(signal?: AbortSignal): Promise<DeviceResource> {
    return this.#ask('GET', '/v1/device', undefined, signal) as Promise<DeviceResource>;
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

  /**
   * Calls `take` with every event after that id that is still known, then with new ones, until the process ends them, because it
   * closes the set, or `signal` says so. Rejects with `NoAnswer` where they are cut off.
   */
  async follow(
    take: (event: EventListResource['events'][number]) => void,
    signal: AbortSignal,
    after = 0,
  ): Promise<void> {
    const response = await this.#send(
      'GET',
      `/v1/events?after=${after}`,
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
      if (!signal.aborted)
        throw new NoAnswer(this.socketPath, (error as NodeJS.ErrnoException).code ?? 'cut off');
    }
  }

  moveByHand(body: z.input<typeof moveSchema>): Promise<HandReportResource> {
    return this.#ask('POST', '/v1/remaps', body) as Promise<HandReportResource>;
  }

  giveBack(body: z.input<typeof giveBackSchema>): Promise<HandReportResource> {
    return this.#ask('POST', '/v1/remaps/give-back', body) as Promise<HandReportResource>;
  }

  /** Begins to put neighbours together, or goes on with it. */
  consolidate(): Promise<JobReport> {
    return this.#job('POST', '/v1/remaps/consolidate');
  }

  async jobs(): Promise<readonly JobReport[]> {
    return ((await this.#ask('GET', '/v1/jobs')) as z.infer<typeof jobListSchema>).jobs;
  }

  pauseJob(id: string): Promise<JobReport> {
    return this.#job('POST', `/v1/jobs/${encodeURIComponent(id)}/pause`);
  }

  resumeJob(id: string): Promise<JobReport> {
    return this.#job('POST', `/v1/jobs/${encodeURIComponent(id)}/resume`);
  }

  cancelJob(id: string): Promise<JobReport> {
    return this.#job('DELETE', `/v1/jobs/${encodeURIComponent(id)}`);
  }

  async spareUse(): Promise<SpareUseResource['spares']> {
    return ((await this.#ask('GET', '/v1/spares')) as SpareUseResource).spares;
  }

  /** The set is away for a moment after the answer, unless `dryRun`. */
  addSpare(body: z.input<typeof addSpareSchema>): Promise<AddSpareResource> {
    return this.#ask('POST', '/v1/spares', body) as Promise<AddSpareResource>;
  }

  /** Begins to move everything from a spare to the others, or goes on with it. */
  emptySpare(spareIndex: number, body: z.input<typeof emptySpareSchema>): Promise<JobReport> {
    return this.#job('POST', `/v1/spares/${spareIndex}/empty`, body);
  }

  async keepSpare(spareIndex: number): Promise<void> {
    await this.#ask('POST', `/v1/spares/${spareIndex}/keep`);
  }

  /** The set is away for a moment after the answer. */
  removeSpare(spareIndex: number): Promise<RemovedSpareResource> {
    return this.#ask('DELETE', `/v1/spares/${spareIndex}`) as Promise<RemovedSpareResource>;
  }

  /** Begins to copy the set to a disk, unless `dryRun`. */
  evacuate(body: z.input<typeof evacuateSchema>): Promise<BegunEvacuationResource> {
    return this.#ask('POST', '/v1/evacuation', body) as Promise<BegunEvacuationResource>;
  }

  async evacuation(): Promise<EvacuationResource['evacuation']> {
    return ((await this.#ask('GET', '/v1/evacuation')) as EvacuationResource).evacuation;
  }

  /** The set is away for a moment after the answer. */
  finishEvacuation(): Promise<ReplacedMainResource> {
    return this.#ask('POST', '/v1/evacuation/finish') as Promise<ReplacedMainResource>;
  }

  async acceptEvacuationLoss(): Promise<EvacuationResource['evacuation']> {
    return ((await this.#ask('POST', '/v1/evacuation/accept-loss')) as EvacuationResource).evacuation;
  }

  async cancelEvacuation(): Promise<EvacuationResource['evacuation']> {
    return ((await this.#ask('DELETE', '/v1/evacuation')) as EvacuationResource).evacuation;
  }

  settings(): Promise<SettingsResource> {
    return this.#ask('GET', '/v1/settings') as Promise<SettingsResource>;
  }

  /** By name; null: the default. */
  changeSettings(
    body: Readonly<Record<string, string | number | boolean | null>>,
  ): Promise<SettingsChangedResource> {
    return this.#ask('PATCH', '/v1/settings', body) as Promise<SettingsChangedResource>;
  }

  message(sector: number, message: string): Promise<MessageReplyResource> {
    return this.#ask('POST', '/v1/message', { sector, message }) as Promise<MessageReplyResource>;
  }

  suspend(flush: boolean): Promise<ChangeResource> {
    return this.#ask('POST', '/v1/suspend', { flush }) as Promise<ChangeResource>;
  }

  resume(): Promise<ChangeResource> {
    return this.#ask('POST', '/v1/resume') as Promise<ChangeResource>;
  }

  scrubMetadata(): Promise<ScrubResource> {
    return this.#ask('POST', '/v1/metadata/scrub') as Promise<ScrubResource>;
  }

  async #job(method: string, path: string, body?: object): Promise<JobReport> {
    return ((await this.#ask(method, path, body)) as z.infer<typeof oneJobSchema>).job;
  }

  async #ask(method: string, path: string, body?: object, signal?: AbortSignal): Promise<unknown> {
    const response = await this.#send(method, path, {}, body, signal);
    const answer: unknown = JSON.parse(await this.#textOf(response));
    if (response.statusCode === 200) return answer;
    const { failure, message } = (answer as FailureAnswer).error;
    throw new DmRemapError(failure === 'notFound' ? 'usage' : failure, message);
  }

  async #textOf(response: IncomingMessage): Promise<string> {
    let text = '';
    try {
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
    } catch (error) {
      throw new NoAnswer(this.socketPath, (error as NodeJS.ErrnoException).code ?? 'cut off');
    }
    return text;
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
          reject(new NoAnswer(this.socketPath, error.code ?? error.message));
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
