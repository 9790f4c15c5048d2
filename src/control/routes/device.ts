import { resolve } from 'node:path';
import { judgeHealth } from '../../library/judge-health.js';
import type { ControlApp } from '../empty-app.js';
import { countersSchema, type DeviceResource, deviceSchema } from '../schema/device.js';
import type { ServedSet } from '../served-set.js';
import { SET_AT_WORK } from '../set-at-work.js';

/** GET /v1/device, the whole state in one answer, and GET /v1/counters. */
export function addDeviceRoutes(app: ControlApp, set: ServedSet): void {
  app.get('/v1/device', { schema: { response: { 200: deviceSchema } } }, () => describeSet(set));
  app.get('/v1/counters', { schema: { response: { 200: countersSchema } } }, async () => {
    const { counters } = await set.device.status();
    return counters;
  });
}

async function describeSet(set: ServedSet): Promise<DeviceResource> {
  const { info } = set.device;
  const status = await set.device.status();
  return {
    version: 1,
    setId: info.setId,
    name: set.name ?? info.name,
    programVersion: set.programVersion,
    processId: process.pid,
    startedSeconds: set.startedSeconds,
    sizeBytes: info.sizeBytes,
    logicalBlockBytes: info.logicalBlockBytes,
    unitBytes: info.unitBytes,
    io: info.io,
    main: { ...info.main, path: resolve(info.main.path) },
    spares: info.spares.map((spare) => ({ ...spare, path: resolve(spare.path) })),
    endpoints: endpointsOf(set),
    ...status,
    evacuation: (await set.evacuation.report()) ?? null,
    jobs: await set.jobs.list(),
    health: judgeHealth({ ...status, ...SET_AT_WORK }),
    blockDevice: set.device.ublk?.statistics() ?? null,
    createdAs: set.createdAs ?? null,
    recently: {
      sinceSeconds: set.figures.sinceSeconds,
      scanCount: set.figures.scanCount,
      counters: set.figures.of(status.counters),
    },
  };
}

function endpointsOf(set: ServedSet): DeviceResource['endpoints'] {
  const { ublk } = set.device;
  const blockDevice = ublk === undefined ? [] : [{ kind: 'ublk', address: ublk.path } as const];
  return [...blockDevice, ...set.nbdUris().map((address) => ({ kind: 'nbd', address }) as const)];
}
