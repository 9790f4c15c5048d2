import type { Machine } from '../../boot/machine.js';
import { COUNTER_NAMES, type CounterName } from '../../engine/counters.js';
import type { FormatPlan, InspectReport, RemapReport } from '../../library/offline-types.js';
import { reportSettings } from '../../settings/settings-in-force.js';
import type { CliContext, LibraryCalls, RunningCalls } from '../cli-context.js';
import type { Output } from '../output.js';
import type { StopSignals } from '../stop-signals.js';

/** A context whose output is kept and whose library does what the test says; anything else is a failed test. */
export function fakeContext(options: FakeContextOptions = {}) {
  const out = recordingOutput();
  const err = recordingOutput();
  const library: LibraryCalls = {
    openDevice: unexpected,
    planFormat: unexpected,
    formatSpares: unexpected,
    inspectSpares: unexpected,
    scanSets: unexpected,
    checkMetadata: unexpected,
    dumpMetadata: unexpected,
    planMetadataRepair: unexpected,
    repairMetadata: unexpected,
    planMetadataRestore: unexpected,
    restoreMetadata: unexpected,
    inspectModuleSpare: unexpected,
    planImport: unexpected,
    importSpare: unexpected,
    guardAgainstReclaim: unexpected,
    startAgain: unexpected,
    planAddSpare: unexpected,
    addSpare: unexpected,
    removeSpare: unexpected,
    planEvacuation: unexpected,
    identifyDisk: unexpected,
    holdsCopy: unexpected,
    planReplaceMain: unexpected,
    replaceMain: unexpected,
    planWipe: unexpected,
    wipeSet: unexpected,
    stopBlockDevice: unexpected,
    checkUblk: unexpected,
    blockDeviceUsers: unexpected,
    examinePair: unexpected,
    endProcess: unexpected,
    isProcessAlive: unexpected,
    ...options.calls,
  };
  const context: CliContext = {
    library,
    out,
    err,
    ask: undefined,
    serviceManager: { tell: async () => undefined },
    machine: fakeMachine({}),
    commandLine: [],
    configurationDirectory: '/nonexistent/dm-remap',
    version: '0.0.0',
    runDirectory: undefined,
    stateDirectory: undefined,
    startInBackground: unexpected,
    ...options,
    running: { all: unexpected, one: unexpected, silent: new Set(), ...options.running },
    stopSignals: { next: () => new Promise(() => {}), postpone: unexpected, ...options.stopSignals },
  };
  return { context, out, err };
}

type FakeContextOptions = Omit<Partial<CliContext>, 'stopSignals' | 'running'> & {
  readonly running?: Partial<RunningCalls>;
  readonly calls?: Partial<LibraryCalls>;
  readonly stopSignals?: Pick<StopSignals, 'next'>;
};

/** A machine whose udev knows these block devices; every program of it that is run succeeds. */
export function fakeMachine(devices: Readonly<Record<string, FakeDisk>>, runs: string[] = []): Machine {
  return {
    paths: { node: '/usr/bin/node', program: '/opt/dm-remap/bin/dmremap.js' },
    root: '/nonexistent',
    blockDevice: (path) => devices[path],
    isOnRootFileSystem: () => true,
    run: (command, args) => {
      runs.push([command, ...args].join(' '));
      return { status: command === 'systemctl' ? 3 : 0, output: '' };
    },
    mountPointOf: () => undefined,
    outputOf: () => undefined,
  };
}

type FakeDisk = NonNullable<ReturnType<Machine['blockDevice']>>;

export interface RecordingOutput extends Output {
  text: string;
}

export function recordingOutput(): RecordingOutput {
  return {
    text: '',
    isTerminal: false,
    hasColour: false,
    columns: 100,
    write(text) {
      this.text += text;
    },
  };
}

export function inspectReport(changes: Partial<InspectReport> = {}): InspectReport {
  return {
    setId: '0f0e0d0c-0b0a-4900-8000-000102030405',
    name: 'demo',
    formatVersion: 1,
    sequence: 7,
    generation: 2,
    cleanShutdown: true,
    openCount: 3,
    createdSeconds: 1_700_000_000,
    updatedSeconds: 1_700_000_100,
    unitBytes: 4096,
    logicalBlockBytes: 512,
    main: { sizeBytes: 64 << 20, model: '', serial: '', wwn: '' },
    spares: [
      { index: 0, path: '/dev/sdb', uuid: 'aa', sizeBytes: 16 << 20, initialisedPages: 1, isStale: false },
    ],
    copies: [0, 1].map((index) => ({
      index,
      spareIndex: 0,
      offsetBytes: index * 8192,
      superblock: 'good',
      goodPages: 1,
      badPages: 0,
    })),
    usableSpareUnits: 1000,
    outOfReachPages: 0,
    maybeOutdatedPages: 0,
    freeSpareUnits: 1000,
    retiredSpareUnits: 0,
    remaps: [],
    counters: Object.fromEntries(COUNTER_NAMES.map((name) => [name, 0])) as Record<CounterName, number>,
    settings: reportSettings({ values: {}, refused: [] }, {}),
    ...changes,
  };
}

export function remapReport(changes: Partial<RemapReport> = {}): RemapReport {
  return {
    mainUnit: 625,
    mainSector: 5000,
    sectorCount: 8,
    spareIndex: 0,
    spareSector: 800,
    reason: 'writeError',
    lostSectors: [],
    errorCount: 1,
    timeSeconds: 1_700_000_050,
    ...changes,
  };
}

export function formatPlan(changes: Partial<FormatPlan> = {}): FormatPlan {
  return {
    setId: '0f0e0d0c-0b0a-4900-8000-000102030405',
    name: '',
    main: { path: '/dev/sda', sizeBytes: 64 << 20, model: 'WDC', serial: 'W1', signature: 'ext4' },
    mainUnusedBytes: 0,
    spares: [{ path: '/dev/sdb', sizeBytes: 16 << 20, model: 'Stick', serial: 'S1', signature: 'xfs' }],
    unitBytes: 4096,
    logicalBlockBytes: 512,
    copies: [{ spareIndex: 0, offsetBytes: 0 }],
    usableSpareUnits: 4000,
    ...changes,
  };
}

function unexpected(): never {
  throw new Error('a library call that this test does not expect');
}
