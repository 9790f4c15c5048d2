import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { dmremapProgram } from './dmremap-program.js';
export const TRANSPORTS = ['unix', 'tcp'];
/** `dmremap run` as a process of its own, serving NBD on a unix socket and on a TCP port of this machine. */
export class ServedDeviceProcess {
    uris;
    #child;
    #exited;
    #log = '';
    constructor(uris, child) {
        this.uris = uris;
        this.#child = child;
        this.#exited = once(child, 'exit');
        child.stderr.on('data', (chunk) => {
            this.#log = (this.#log + chunk.toString()).slice(-LOG_LENGTH_MAX);
        });
        const killWithParent = () => child.kill('SIGKILL');
        process.once('exit', killWithParent);
        child.once('exit', () => process.removeListener('exit', killWithParent));
    }
    /** Resolves when it serves; throws, with its log, when it does not get there. */
    static async start(images, options = {}) {
        const uris = {
            unix: `nbd+unix:///?socket=${images.path('nbd.sock')}`,
            tcp: `nbd://127.0.0.1:${await freePort()}`,
        };
        const child = spawn(process.execPath, [dmremapProgram(), ...runArguments(images, uris, options)], {
            stdio: ['ignore', 'pipe', 'pipe'],
        });
        const served = new ServedDeviceProcess(uris, child);
        await served.#untilReady();
        return served;
    }
    /** The end of what it logged so far. */
    get log() {
        return this.#log;
    }
    get isRunning() {
        return this.#child.exitCode === null && this.#child.signalCode === null;
    }
    /** Asks it to end; throws, with its log, unless it ends cleanly. */
    async stop() {
        if (!this.isRunning)
            throw new Error(`it had ended by itself (${this.#end()})\n${this.#log}`);
        this.#child.kill('SIGTERM');
        const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
        await this.#exited;
        clearTimeout(timer);
        if (this.#child.exitCode !== 0)
            throw new Error(`it did not end cleanly (${this.#end()})\n${this.#log}`);
    }
    /** kill -9, as a crash would. */
    async kill() {
        if (!this.isRunning)
            return;
        this.#child.kill('SIGKILL');
        await this.#exited;
    }
    async #untilReady() {
        let readyCount = 0;
        const lines = createInterface({ input: this.#child.stdout });
        const timer = setTimeout(() => this.#child.kill('SIGKILL'), START_MS);
        for await (const line of lines) {
            if (line.startsWith('ready '))
                readyCount += 1;
            if (readyCount === TRANSPORTS.length)
                break;
        }
        clearTimeout(timer);
        this.#child.stdout.resume();
        if (readyCount === TRANSPORTS.length)
            return;
        await this.#exited;
        throw new Error(`it did not begin to serve (${this.#end()})\n${this.#log}`);
    }
    #end() {
        return `status ${this.#child.exitCode}, signal ${this.#child.signalCode}`;
    }
}
const START_MS = 30_000;
const STOP_MS = 30_000;
const LOG_LENGTH_MAX = 20_000;
function runArguments(images, uris, options) {
    const faults = options.faultsPath === undefined ? [] : ['--faults', options.faultsPath];
    const io = options.io === undefined ? [] : ['--io', options.io];
    const devices = ['--main', images.mainPath, '--spare', images.sparePath];
    return ['run', ...devices, '--nbd', uris.unix, '--nbd', uris.tcp, ...faults, ...io];
}
/** A port nothing listens on right now. */
async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string')
        throw new Error('a TCP server has a port');
    server.close();
    await once(server, 'close');
    return address.port;
}
//# sourceMappingURL=served-device.js.map