import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dmremapProgram } from './dmremap-program.js';
import { runTool } from './run-tool.js';

/** A main and a spare device as sparse files in a folder of their own, formatted as one set. */
export class DiskImages {
  readonly directory: string;
  readonly mainPath: string;
  readonly sparePath: string;
  readonly mainBytes: number;

  private constructor(directory: string, mainBytes: number) {
    this.directory = directory;
    this.mainPath = join(directory, 'main.img');
    this.sparePath = join(directory, 'spare.img');
    this.mainBytes = mainBytes;
  }

  static async create(sizes: DiskImageSizes): Promise<DiskImages> {
    const images = new DiskImages(mkdtempSync(join(sizes.directory ?? tmpdir(), 'dmr-')), sizes.mainBytes);
    for (const [path, sizeBytes] of [
      [images.mainPath, sizes.mainBytes],
      [images.sparePath, sizes.spareBytes],
    ] as const) {
      writeFileSync(path, '');
      truncateSync(path, sizeBytes);
    }
    sizes.fillMain?.(images.mainPath);
    await images.#format();
    return images;
  }

  async #format(): Promise<void> {
    const devices = ['--main', this.mainPath, '--spare', this.sparePath];
    try {
      await runTool(process.execPath, [dmremapProgram(), 'format', ...devices, '--yes']);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** Another file in the same folder. */
  path(name: string): string {
    return join(this.directory, name);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface DiskImageSizes {
  readonly mainBytes: number;
  readonly spareBytes: number;
  /** Where the folder goes; default: the system's for temporary files. */
  readonly directory?: string;
  /** Puts contents on the main device before it is formatted; must not change its size. */
  readonly fillMain?: (mainPath: string) => void;
}
