import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  formatSpares,
  type OpenDeviceOptions,
  openDevice,
  type ProtectedDevice,
} from '../../dist/library/index.js';

/** Image files of one set, opened in this process through the library as it was built. */
export class ProtectedImages {
  readonly mainPath: string;
  readonly sparePath: string;
  readonly #directory: string;
  #device: ProtectedDevice | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
    this.mainPath = join(directory, 'main.img');
    this.sparePath = join(directory, 'spare.img');
  }

  /** Sparse files, formatted; in memory if no `parent` folder is given. */
  static async create(mainBytes: number, spareBytes = 4 << 20, parent = MEMORY): Promise<ProtectedImages> {
    const images = new ProtectedImages(mkdtempSync(join(parent, 'dmr-')));
    images.file('main.img', mainBytes);
    images.file('spare.img', spareBytes);
    await formatSpares({ main: images.mainPath, spares: [images.sparePath] });
    return images;
  }

  /** Another sparse file of zeroes in the same folder. */
  file(name: string, sizeBytes: number): string {
    const path = this.path(name);
    writeFileSync(path, '');
    truncateSync(path, sizeBytes);
    return path;
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  async open(options: Partial<OpenDeviceOptions> & { faultsYaml?: string } = {}): Promise<ProtectedDevice> {
    const { faultsYaml, ...rest } = options;
    const faults = faultsYaml === undefined ? undefined : this.path('faults.yaml');
    if (faults !== undefined) writeFileSync(faults, faultsYaml!);
    this.#device = await openDevice({ main: this.mainPath, spares: [this.sparePath], faults, ...rest });
    return this.#device;
  }

  /** Also closes what a failed test has left open. */
  async remove(): Promise<void> {
    await this.#device?.close().catch(() => undefined);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
