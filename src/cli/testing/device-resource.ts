import type { DeviceResource } from '../../control/schema/device.js';
import { COUNTER_NAMES, type CounterName } from '../../engine/counters.js';

/** A healthy set at work, as its control socket tells of it. */
export function deviceResource(changes: Partial<DeviceResource> = {}): DeviceResource {
  const member = { path: '/dev/sda', sizeBytes: 8 << 20, model: 'WDC', serial: 'W1', wwn: '' };
  return {
    version: 1,
    setId: '0f0e0d0c-0b0a-4900-8000-000102030405',
    name: 'attic',
    programVersion: '0.0.0',
    processId: 4711,
    startedSeconds: 1_700_000_000,
    sizeBytes: 8 << 20,
    logicalBlockBytes: 512,
    unitBytes: 4096,
    io: 'uring',
    main: member,
    spares: [{ ...member, path: '/dev/sdb', sizeBytes: 2 << 20, uuid: 'aa' }],
    endpoints: [{ kind: 'nbd', address: 'nbd+unix:///?socket=/run/s' }],
    remappedUnits: 0,
    unitsWithLostBlocks: 0,
    retiredSpareUnits: 0,
    freeSpareUnits: 400,
    usableSpareUnits: 400,
    sparesFull: null,
    breakerOpen: null,
    recognisedBy: 'serialNumber',
    onGone: 'hold:30',
    gone: [],
    emptying: [],
    takingNone: [],
    remapLimitReached: false,
    connections: 0,
    suspended: false,
    evacuation: null,
    jobs: [],
    counters: zeroCounters(),
    health: { state: 'healthy', findings: [] },
    blockDevice: null,
    createdAs: null,
    recently: { sinceSeconds: 1_700_000_000, scanCount: 0, counters: zeroCounters() },
    ...changes,
  };
}

export function zeroCounters(): Record<CounterName, number> {
  return Object.fromEntries(COUNTER_NAMES.map((name) => [name, 0])) as Record<CounterName, number>;
}
