import { DmRemapError } from '../../library/errors.js';
import type { ControlApp } from '../empty-app.js';
import { answerMessage } from '../messages/answer-message.js';
import { changeSchema, messageReplySchema, messageSchema, suspendSchema } from '../schema/message.js';
import type { ServedSet } from '../served-set.js';

/**
 * POST /v1/message: a message of the kernel module. POST /v1/suspend holds new requests, and is answered when those in
 * flight have ended; POST /v1/resume lets them go.
 */
export function addMessageRoutes(app: ControlApp, set: ServedSet): void {
  const messageRoute = { body: messageSchema, response: { 200: messageReplySchema } };
  app.post('/v1/message', { schema: messageRoute }, ({ body: { sector, message } }) => {
    const sectorCount = set.device.info.sizeBytes / 512;
    if (sector >= sectorCount)
      throw new DmRemapError('usage', `sector ${sector}: the device has ${sectorCount}`);
    const nowSeconds = () => Math.floor(Date.now() / 1000);
    return answerMessage(message, { ...set, nowSeconds });
  });
  const suspendRoute = { body: suspendSchema, response: { 200: changeSchema } };
  app.post('/v1/suspend', { schema: suspendRoute }, async ({ body }) => ({
    changed: await set.device.suspend(body),
  }));
  app.post('/v1/resume', { schema: { response: { 200: changeSchema } } }, async () => ({
    changed: await set.device.resume(),
  }));
}
