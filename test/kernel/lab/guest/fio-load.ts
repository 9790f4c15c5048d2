import type { Background } from './background.js';
import type { Guest } from './guest.js';
import type { Region } from './verifying-load.js';

/**
 * fio, again and again until `stop`: random writes of random sizes at depth 16 over all of a region with a flush now
 * and then, then everything is read back and its checksums compared.
 */
export class FioLoad {
  private readonly guest: Guest;
  private readonly region: Region;
  private readonly seed: number;
  private readonly further: FioOptions;
  private readonly ended: Promise<void>;
  private stopping = false;
  private count = 0;

  /** `further`: options of fio. */
  constructor(guest: Guest, region: Region, seed: number, further: FioOptions = {}) {
    this.guest = guest;
    this.region = region;
    this.seed = seed;
    this.further = further;
    this.ended = this.goOn();
    // Whoever stops it hears of the failure.
    this.ended.catch(() => {});
  }

  /** How often everything was written and compared. */
  get passCount(): number {
    return this.count;
  }

  /** Waits for the pass at work; throws what went wrong at any time. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.ended;
  }

  private async goOn(): Promise<void> {
    for (; !this.stopping; this.count += 1) {
      const program = this.guest.start(fioCommand(this.region, this.seed + this.count, this.further));
      await endsWell(program);
    }
  }
}

type FioOptions = Readonly<Record<string, string | number>>;

async function endsWell(program: Background): Promise<void> {
  const { status } = await program.finish(PASS_LIMIT_SECONDS);
  if (status !== 0) throw program.failure(`ended with status ${status}`);
}

function fioCommand({ path, firstSector, sectorCount }: Region, seed: number, further: FioOptions): string[] {
  const options = {
    name: 'load',
    filename: path,
    offset: firstSector * 512,
    size: sectorCount * 512,
    ioengine: 'libaio',
    direct: 1,
    rw: 'randwrite',
    bsrange: '512-64k',
    iodepth: 16,
    fsync: 32,
    randseed: seed,
    verify: 'crc32c',
    do_verify: 1,
    verify_fatal: 1,
    verify_state_save: 0,
    ...further,
  };
  return ['fio', ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)];
}

/** A pass may wait for several servers to die and come back on a busy host. */
const PASS_LIMIT_SECONDS = 300;
