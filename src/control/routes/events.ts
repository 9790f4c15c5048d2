import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ControlApp } from '../empty-app.js';
import type { SetEvent } from '../event-history.js';
import { eventListSchema, eventQuerySchema } from '../schema/events.js';
import type { ServedSet } from '../served-set.js';

/**
 * GET /v1/events: what happened lately. With `Accept: text/event-stream` what happens from now on follows as server-sent
 * events (https://html.spec.whatwg.org/multipage/server-sent-events.html); `Last-Event-ID` or `after` says where to go on. The
 * answer comes to its end when the set is closed; it is cut off when the process dies.
 */
export function addEventRoutes(app: ControlApp, { events }: ServedSet): void {
  /** With what ends the listening for each. */
  const streams = new Map<ServerResponse, () => void>();
  // Whoever listens can tell that from a process that was killed.
  app.addHook('preClose', async () => {
    for (const stop of streams.values()) stop();
    await Promise.all([...streams.keys()].map(endInOrder));
  });
  const schema = { querystring: eventQuerySchema, response: { 200: eventListSchema } };
  app.get('/v1/events', { schema }, async (request, reply) => {
    const wantsStream = request.headers.accept?.includes('text/event-stream') === true;
    const last = Number(request.headers['last-event-id'] ?? 0);
    const after = Number.isSafeInteger(last) && last > 0 ? last : request.query.after;
    if (!wantsStream) return { version: 1 as const, events: events.after(after) };
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    for (const event of events.after(after)) raw.write(textOf(event));
    const stop = events.listen((event) => sendOrEnd(raw, event));
    streams.set(raw, stop);
    raw.on('close', () => {
      stop();
      streams.delete(raw);
    });
    return reply;
  });
}

/** One that does not read what was sent before is not waited for. */
async function endInOrder(raw: ServerResponse): Promise<void> {
  if (raw.writableLength > 0) return;
  const ended = new Promise<void>((resolve) => raw.once('close', resolve).end(resolve));
  await Promise.race([ended, delay(END_LIMIT_MS, undefined, { ref: false })]);
}

/** A client that does not read must not make this process grow; it may come back with `Last-Event-ID`. */
function sendOrEnd(raw: ServerResponse, event: SetEvent): void {
  if (raw.writableLength > MAX_UNREAD_BYTES) raw.destroy();
  else raw.write(textOf(event));
}

function textOf(event: SetEvent): string {
  return `id: ${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`;
}

const MAX_UNREAD_BYTES = 1 << 20;
/** Its peer reads at once, or not at all. */
const END_LIMIT_MS = 1000;
