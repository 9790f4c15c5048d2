import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dmremapProgram } from './dmremap-program.js';
import { runTool } from './run-tool.js';
/** A main and a spare device as sparse files in a folder of their own, formatted as one set. */
export class DiskImages {
    directory;
    mainPath;
    sparePath;
    mainBytes;
    constructor(directory, mainBytes) {
        this.directory = directory;
        this.mainPath = join(directory, 'main.img');
        this.sparePath = join(directory, 'spare.img');
        this.mainBytes = mainBytes;
    }
    static async create(sizes) {
        const images = new DiskImages(mkdtempSync(join(sizes.directory ?? tmpdir(), 'dmr-')), sizes.mainBytes);
        for (const [path, sizeBytes] of [
            [images.mainPath, sizes.mainBytes],
            [images.sparePath, sizes.spareBytes],
        ]) {
            writeFileSync(path, '');
            truncateSync(path, sizeBytes);
        }
        sizes.fillMain?.(images.mainPath);
        await images.#format();
        return images;
    }
    async #format() {
        const devices = ['--main', this.mainPath, '--spare', this.sparePath];
        try {
            await runTool(process.execPath, [dmremapProgram(), 'format', ...devices, '--yes']);
        }
        catch (error) {
            this.remove();
            throw error;
        }
    }
    /** Another file in the same folder. */
    path(name) {
        return join(this.directory, name);
    }
    remove() {
        rmSync(this.directory, { recursive: true, force: true });
    }
}
//# sourceMappingURL=disk-images.js.map