import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ServedDeviceProcess } from '../test/support/served-device.js';
export function ours(name, images) {
    return {
        name,
        async start() {
            const served = await ServedDeviceProcess.start(images);
            return { uri: served.uris.unix, stop: () => served.stop() };
        },
    };
}
/** The peers, all on the same file; options as in their own documentation for speed without losing the page cache. */
export function peers(filePath, directory) {
    const socket = join(directory, 'peer.sock');
    const uri = `nbd+unix:///?socket=${socket}`;
    const qemuArgs = [
        '-t',
        '-f',
        'raw',
        '--cache=writeback',
        '--aio=io_uring',
        '-e',
        '8',
        '-k',
        socket,
        filePath,
    ];
    return [
        {
            name: 'nbdkit',
            tool: 'nbdkit',
            start: () => startForeground('nbdkit', ['-f', '-U', socket, 'file', filePath], socket, uri),
        },
        {
            name: 'qemu-nbd',
            tool: 'qemu-nbd',
            start: () => startForeground('qemu-nbd', qemuArgs, socket, uri),
        },
        {
            name: 'nbd-server',
            tool: 'nbd-server',
            start: () => startNbdServer(filePath, directory, socket),
        },
    ];
}
async function startForeground(command, args, socket, uri) {
    rmSync(socket, { force: true });
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const exited = once(child, 'exit');
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    await untilThere(socket, command);
    return {
        uri,
        async stop() {
            child.kill('SIGTERM');
            await exited;
            process.removeListener('exit', kill);
        },
    };
}
/** In the foreground it serves one connection and ends, and fio opens two: so it runs as a daemon with a PID file. */
async function startNbdServer(filePath, directory, socket) {
    const configPath = join(directory, 'nbd-server.conf');
    const pidPath = join(directory, 'nbd-server.pid');
    for (const path of [socket, pidPath])
        rmSync(path, { force: true });
    writeFileSync(configPath, `[generic]\nunixsock = ${socket}\n[x]\nexportname = ${filePath}\n`);
    spawn('nbd-server', ['-C', configPath, '-p', pidPath], { stdio: 'ignore' });
    await untilThere(socket, 'nbd-server');
    await untilThere(pidPath, 'nbd-server');
    const pid = Number(readFileSync(pidPath, 'utf8').trim());
    return {
        uri: `nbd+unix:///x?socket=${socket}`,
        async stop() {
            process.kill(pid, 'SIGTERM');
            while (existsSync(`/proc/${pid}`))
                await pause(20);
        },
    };
}
async function untilThere(path, command) {
    for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 50) {
        if (existsSync(path))
            return;
        await pause(50);
    }
    throw new Error(`${command} did not make ${path} within 10 s`);
}
//# sourceMappingURL=nbd-servers.js.map