import { describe, expect, it } from 'vitest';
import { Counter } from '../engine/counters.js';
import { withAtomicSteps } from '../sim/atomic-steps.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, times } from './testing/numbered-device.js';
import { type BegunRequest, TestClient } from './testing/test-client.js';

/** An owner, a queue, and a client of each; the disk is one region of the filter. Opened anew for each race. */
class Race {
  readonly rig: DeviceOnMemory;
  readonly near: TestClient;
  far: TestClient;
  readonly #formatted: readonly Uint8Array[];
  #requests: BegunRequest[] = [];
  #placesTaken = 0;

  constructor(faults: string) {
    const { rig, client } = numberedDevice({
      mainBytes: MAIN_BYTES,
      spareBytes: [1 << 20],
      faults,
      lateStores: true,
    });
    this.rig = rig;
    this.near = client;
    this.far = client;
    this.#formatted = rig.disks.map(({ contents }) => contents.slice());
  }

  /** Everything as it was, nothing remapped. */
  reset(): void {
    this.rig.kill();
    for (const [index, contents] of this.#formatted.entries()) this.rig.disks[index]!.contents.set(contents);
    this.rig.open();
    this.far = new TestClient(this.rig, this.rig.addQueue());
    this.#requests = [];
    this.#placesTaken = 0;
  }

  /** Begun, not waited for. Each has a buffer of its own. */
  write(client: TestClient, firstBlock: number, blockCount: number, contents: number): void {
    const place = this.#placesTaken;
    this.#placesTaken += 1;
    this.#requests.push(client.beginWrite(firstBlock, blockCount, contents, false, place));
  }

  /** All but who is interrupted go on as far as they get. */
  runOthers(): void {
    this.rig.scheduler.advance(10);
  }

  runOthersFor(taskCount: number): void {
    for (let task = 0; task < taskCount; task += 1) this.rig.scheduler.runOne(() => 0);
  }

  /** Every write that was begun has been answered with success: nobody sleeps who should have been woken. */
  settle(): void {
    this.rig.scheduler.advance(5000);
    expect(this.#requests.map(({ errno }) => errno)).toEqual(times(this.#requests.length, 0));
  }
}

const MAIN_BYTES = 256 << 10;
const PROBED_BLOCK = 8 * Math.floor(MAIN_BYTES / 16 / 4096);
/** The first half of a unit can't be written; what a queue writes next to it is on its way for long. */
const BAD_UNIT = `
main:
  - { sectors: "80-83", on: [write], error: ENODATA }
  - { sectors: "84-87", on: [write], delayMs: 3 }
`;
/** And of another one in the same region. */
const TWO_BAD_UNITS = `${BAD_UNIT}
  - { sectors: "160-163", on: [write], error: ENODATA }
`;
/** An error that may be the whole device's: a block elsewhere is rewritten to see whether that works. */
const DOUBTFUL_ERROR = `
main:
  - { sectors: "160-163", on: [write], error: EIO }
  - { sectors: "${PROBED_BLOCK}", on: [write], delayMs: 3 }
`;

interface Plot {
  prepare?(): void;
  run(): void;
  /** Once, between two steps of somebody. */
  meanwhile(): void;
  /** At every other step. */
  later?(): void;
  check(): void;
}

/** Plays the race again and again, with `meanwhile` before the first atomic operation, the second, and so on. */
function atEachStep(race: Race, plot: Plot): number {
  for (let when = 1; ; when += 1) {
    race.reset();
    plot.prepare?.();
    let step = 0;
    const interrupt = (): void => {
      step += 1;
      if (step === when) plot.meanwhile();
      else plot.later?.();
    };
    withAtomicSteps(interrupt, () => plot.run());
    if (step < when) return when - 1;
    race.settle();
    plot.check();
  }
}

describe('a write of a queue to a unit that the owner moves', () => {
  it.each([
    'without',
    'with',
  ])('is not lost when the owner comes in between any two steps of it, in a region %s remaps', (remaps) => {
    const race = new Race(TWO_BAD_UNITS);
    const steps = atEachStep(race, {
      prepare: () => {
        if (remaps === 'with') expect(race.near.write(160, 4, 7)).toBe(0);
      },
      run: () => {
        race.write(race.far, 84, 4, 900);
        race.runOthers();
      },
      meanwhile: () => {
        race.write(race.near, 80, 4, 500);
        race.rig.scheduler.advance(100);
      },
      check: () => {
        expect(race.near.read(80, 8)).toEqual([...times(4, 500), ...times(4, 900)]);
        expect(race.far.read(80, 8)).toEqual([...times(4, 500), ...times(4, 900)]);
      },
    });
    expect(steps).toBeGreaterThan(3);
  });

  it.each([
    0, 2, 9,
  ])('is not lost when it comes in between any two steps of the owner and makes %i there', (count) => {
    const race = new Race(TWO_BAD_UNITS);
    const steps = atEachStep(race, {
      run: () => {
        race.write(race.near, 80, 4, 500);
        race.write(race.near, 160, 4, 501);
        race.rig.scheduler.advance(5000);
      },
      meanwhile: () => {
        race.write(race.far, 84, 4, 900);
        race.write(race.far, 164, 4, 901);
        race.runOthersFor(count);
      },
      check: () => {
        expect(race.near.read(80, 8)).toEqual([...times(4, 500), ...times(4, 900)]);
        expect(race.far.read(160, 8)).toEqual([...times(4, 501), ...times(4, 901)]);
      },
    });
    expect(steps).toBeGreaterThan(20);
  });

  it.each([
    1, 2, 3, 4,
  ])('ends %i steps after the owner began to look for it, and the owner hears of it', (gap) => {
    const race = new Race(BAD_UNIT);
    let begunAt = 0;
    const steps = atEachStep(race, {
      prepare: () => {
        begunAt = 0;
      },
      run: () => {
        race.write(race.near, 80, 4, 500);
        race.rig.scheduler.advance(5000);
      },
      meanwhile: () => {
        begunAt = 1;
        race.write(race.far, 84, 4, 900);
      },
      later: () => {
        if (begunAt > 0) begunAt += 1;
        if (begunAt === gap + 1) race.runOthers();
      },
      check: () => expect(race.far.read(80, 8)).toEqual([...times(4, 500), ...times(4, 900)]),
    });
    expect(steps).toBeGreaterThan(20);
  });
});

describe('a write of a queue to the block that the owner rewrites to see whether the device lives', () => {
  it('is not lost, at whatever step of the owner it comes', () => {
    const race = new Race(DOUBTFUL_ERROR);
    const steps = atEachStep(race, {
      run: () => {
        race.write(race.near, 160, 4, 500);
        race.rig.scheduler.advance(5000);
        expect(race.rig.device!.context.counters[Counter.deviceProbes]).toBe(1);
      },
      meanwhile: () => {
        race.write(race.far, PROBED_BLOCK, 1, 900);
        race.runOthersFor(2);
      },
      check: () => expect(race.far.read(PROBED_BLOCK, 1)).toEqual([900]),
    });
    expect(steps).toBeGreaterThan(20);
  });
});
