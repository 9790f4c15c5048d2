import { DmRemapError } from '../../library/errors.js';
import { readSettingChanges } from '../../settings/setting-changes.js';
import { settingChangesSchema } from '../../settings/settings-schema.js';
import type { ControlApp } from '../empty-app.js';
import { settingsChangedSchema, settingsSchema } from '../schema/settings.js';
import type { ServedSet } from '../served-set.js';

/**
 * GET /v1/settings: what is in force, and why. PATCH /v1/settings: values by name are kept on the spares and put in force, all
 * or none; null is for the default. Answered when they are durable.
 */
export function addSettingRoutes(app: ControlApp, { settings }: ServedSet): void {
  app.get('/v1/settings', { schema: { response: { 200: settingsSchema } } }, async () => ({
    version: 1 as const,
    settings: await settings.all(),
  }));
  const changeRoute = { body: settingChangesSchema, response: { 200: settingsChangedSchema } };
  app.patch('/v1/settings', { schema: changeRoute }, async ({ body }) => {
    const changes = readSettingChanges(body as Parameters<typeof readSettingChanges>[0]);
    if (!changes.ok) throw new DmRemapError('usage', changes.error);
    return { version: 1 as const, ...(await settings.change(changes.value)) };
  });
}
