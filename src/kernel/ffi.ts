import koffi from 'koffi';

/**
 * Every libc call of dm-remap, as plain functions over numbers. This is the only file that declares foreign
 * functions. Convention: a negative return value is `-errno`, anything else is what the call returns. Addresses are
 * below 2^48 and file offsets below 2^53, so both are exact Numbers. Integer arguments are declared 64 bits wide
 * where libc is variadic, so that upper halves are defined.
 */

type Call<Arguments extends number[]> = (...values: Arguments) => number;
/** Ordinary memory that the call reads or fills before it returns; never use it for anything asynchronous. */
type CallMemory = Uint8Array;

// The running program itself: node is linked to libc, so this works with glibc and with musl.
const libc = koffi.load(null);

const mmapCall: Call<[number, number, number, number, number, number]> = libc.func('mmap', 'intptr_t', [
  'intptr_t',
  'size_t',
  'int',
  'int',
  'int',
  'int64_t',
]);
const munmapCall: Call<[number, number]> = libc.func('munmap', 'int', ['intptr_t', 'size_t']);
const madviseCall: Call<[number, number, number]> = libc.func('madvise', 'int', [
  'intptr_t',
  'size_t',
  'int',
]);
const syscall4: Call<[number, number, number, number, number]> = libc.func('syscall', 'long', [
  'long',
  'long',
  'long',
  'long',
  'long',
]);
const syscall6: Call<[number, number, number, number, number, number, number]> = libc.func(
  'syscall',
  'long',
  ['long', 'long', 'long', 'long', 'long', 'long', 'long'],
);
const sysconfCall: Call<[number]> = libc.func('sysconf', 'long', ['int']);
const openCall: (path: string, flags: number, mode: number) => number = libc.func('open', 'int', [
  'str',
  'int',
  'long',
]);
const closeCall: Call<[number]> = libc.func('close', 'int', ['int']);
const dup3Call: Call<[number, number, number]> = libc.func('dup3', 'int', ['int', 'int', 'int']);
const preadCall: Call<[number, number, number, number]> = libc.func('pread', 'long', [
  'int',
  'intptr_t',
  'size_t',
  'int64_t',
]);
const pwriteCall: Call<[number, number, number, number]> = libc.func('pwrite', 'long', [
  'int',
  'intptr_t',
  'size_t',
  'int64_t',
]);
const preadv2Call: Call<[number, number, number, number, number]> = libc.func('preadv2', 'long', [
  'int',
  'intptr_t',
  'int',
  'int64_t',
  'int',
]);
const pwritev2Call: Call<[number, number, number, number, number]> = libc.func('pwritev2', 'long', [
  'int',
  'intptr_t',
  'int',
  'int64_t',
  'int',
]);
const writeCall: (fd: number, data: CallMemory, lengthBytes: number) => number = libc.func('write', 'long', [
  'int',
  'void *',
  'size_t',
]);
const lseekCall: Call<[number, number, number]> = libc.func('lseek', 'int64_t', ['int', 'int64_t', 'int']);
const fallocateCall: Call<[number, number, number, number]> = libc.func('fallocate', 'int', [
  'int',
  'int',
  'int64_t',
  'int64_t',
]);
const fdatasyncCall: Call<[number]> = libc.func('fdatasync', 'int', ['int']);
const flockCall: Call<[number, number]> = libc.func('flock', 'int', ['int', 'int']);
const ioctlCall: Call<[number, number, number]> = libc.func('ioctl', 'int', ['long', 'long', 'intptr_t']);
const fstatfsCall: Call<[number, number]> = libc.func('fstatfs', 'int', ['int', 'intptr_t']);
const fcntlCall: Call<[number, number, number]> = libc.func('fcntl', 'int', ['long', 'long', 'long']);
const eventfdCall: Call<[number, number]> = libc.func('eventfd', 'int', ['uint', 'int']);
const socketCall: Call<[number, number, number]> = libc.func('socket', 'int', ['int', 'int', 'int']);
const socketpairCall: (domain: number, type: number, protocol: number, pair: CallMemory) => number =
  libc.func('socketpair', 'int', ['int', 'int', 'int', 'void *']);
const bindCall: (fd: number, address: CallMemory, lengthBytes: number) => number = libc.func('bind', 'int', [
  'int',
  'void *',
  'uint',
]);
const connectCall: (fd: number, address: CallMemory, lengthBytes: number) => number = libc.func(
  'connect',
  'int',
  ['int', 'void *', 'uint'],
);
const listenCall: Call<[number, number]> = libc.func('listen', 'int', ['int', 'int']);
const getsocknameCall: (fd: number, address: CallMemory, lengthBytes: CallMemory) => number = libc.func(
  'getsockname',
  'int',
  ['int', 'void *', 'void *'],
);
const setsockoptCall: (
  fd: number,
  level: number,
  option: number,
  value: CallMemory,
  lengthBytes: number,
) => number = libc.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint']);
const shutdownCall: Call<[number, number]> = libc.func('shutdown', 'int', ['int', 'int']);
const sendtoCall: (
  fd: number,
  data: CallMemory,
  lengthBytes: number,
  flags: number,
  address: CallMemory,
  addressBytes: number,
) => number = libc.func('sendto', 'long', ['int', 'void *', 'size_t', 'int', 'void *', 'uint']);
const sendmsgCall: Call<[number, number, number]> = libc.func('sendmsg', 'long', ['int', 'intptr_t', 'int']);

const prctlCall: Call<[number, number, number, number, number]> = libc.func('prctl', 'int', [
  'int',
  'long',
  'long',
  'long',
  'long',
]);
const execvCall: (path: string, argv: readonly (string | null)[]) => number = libc.func('execv', 'int', [
  'str',
  'str *',
]);

const schedGetSchedulerCall: Call<[number]> = libc.func('sched_getscheduler', 'int', ['int']);
const schedSetSchedulerCall: (thread: number, policy: number, priority: CallMemory) => number = libc.func(
  'sched_setscheduler',
  'int',
  ['int', 'int', 'void *'],
);

const SYS_IO_URING_SETUP = 425;
const SYS_IO_URING_ENTER = 426;
const SYS_IO_URING_REGISTER = 427;
/** The one number here that differs: x86-64 has its own, arm64 that of asm-generic/unistd.h. */
const SYS_MLOCK2 = process.arch === 'x64' ? 325 : 284;
const SC_PAGESIZE = 30;

function orErrno(returned: number): number {
  return returned < 0 ? -koffi.errno() : returned;
}

// ---- memory

/** An ArrayBuffer over memory from `mmap`. The memory must stay mapped for as long as anything looks at it. */
export function viewMemory(address: number, lengthBytes: number): ArrayBuffer {
  return koffi.view(address, lengthBytes);
}

export function mmap(
  lengthBytes: number,
  protection: number,
  flags: number,
  fd: number,
  offset: number,
): number {
  return orErrno(mmapCall(0, lengthBytes, protection, flags, fd, offset));
}

export function madvise(address: number, lengthBytes: number, advice: number): number {
  return orErrno(madviseCall(address, lengthBytes, advice));
}

export function munmap(address: number, lengthBytes: number): number {
  return orErrno(munmapCall(address, lengthBytes));
}

/** 4096, 16384 or 65536. */
export function getpagesize(): number {
  return sysconfCall(SC_PAGESIZE);
}

// ---- io_uring: no libc wrapper exists; the numbers are the same on x86-64 and arm64

export function ioUringSetup(entries: number, paramsAddress: number): number {
  return orErrno(syscall4(SYS_IO_URING_SETUP, entries, paramsAddress, 0, 0));
}

export function ioUringEnter(
  fd: number,
  submitCount: number,
  waitCount: number,
  flags: number,
  argumentAddress: number,
  argumentBytes: number,
): number {
  return orErrno(
    syscall6(SYS_IO_URING_ENTER, fd, submitCount, waitCount, flags, argumentAddress, argumentBytes),
  );
}

export function ioUringRegister(fd: number, opcode: number, address: number, count: number): number {
  return orErrno(syscall4(SYS_IO_URING_REGISTER, fd, opcode, address, count));
}

// ---- files and devices

/** `flags`: O_* of node:fs `constants` (they differ by architecture); O_CLOEXEC is 0x80000 on both. */
export function open(path: string, flags: number, mode: number): number {
  return orErrno(openCall(path, flags, mode));
}

export function close(fd: number): number {
  return orErrno(closeCall(fd));
}

/** `toFd` becomes another name of what `fromFd` is open on; what it was open on before is closed. `flags`: O_CLOEXEC. */
export function dup3(fromFd: number, toFd: number, flags: number): number {
  return orErrno(dup3Call(fromFd, toFd, flags));
}

export function pread(fd: number, address: number, lengthBytes: number, offsetBytes: number): number {
  return orErrno(preadCall(fd, address, lengthBytes, offsetBytes));
}

export function pwrite(fd: number, address: number, lengthBytes: number, offsetBytes: number): number {
  return orErrno(pwriteCall(fd, address, lengthBytes, offsetBytes));
}

/** `iovAddress`: array of {u64 address, u64 length}. `flags`: RWF_*. */
export function preadv2(
  fd: number,
  iovAddress: number,
  iovCount: number,
  offsetBytes: number,
  flags: number,
): number {
  return orErrno(preadv2Call(fd, iovAddress, iovCount, offsetBytes, flags));
}

/** `iovAddress`: array of {u64 address, u64 length}. `flags`: RWF_*. */
export function pwritev2(
  fd: number,
  iovAddress: number,
  iovCount: number,
  offsetBytes: number,
  flags: number,
): number {
  return orErrno(pwritev2Call(fd, iovAddress, iovCount, offsetBytes, flags));
}

export function write(fd: number, data: CallMemory): number {
  return orErrno(writeCall(fd, data, data.byteLength));
}

export function lseek(fd: number, offsetBytes: number, whence: number): number {
  return orErrno(lseekCall(fd, offsetBytes, whence));
}

export function fallocate(fd: number, mode: number, offsetBytes: number, lengthBytes: number): number {
  return orErrno(fallocateCall(fd, mode, offsetBytes, lengthBytes));
}

export function fdatasync(fd: number): number {
  return orErrno(fdatasyncCall(fd));
}

export function flock(fd: number, operation: number): number {
  return orErrno(flockCall(fd, operation));
}

export function ioctl(fd: number, request: number, address: number): number {
  return orErrno(ioctlCall(fd, request, address));
}

/** Fills the `struct statfs` (120 bytes) at `address`; its first 8 bytes are the file system's magic number. */
export function fstatfs(fd: number, address: number): number {
  return orErrno(fstatfsCall(fd, address));
}

export function fcntl(fd: number, command: number, argument: number): number {
  return orErrno(fcntlCall(fd, command, argument));
}

export function eventfd(initial: number, flags: number): number {
  return orErrno(eventfdCall(initial, flags));
}

// ---- the process itself

export function prctl(option: number, argument: number): number {
  return orErrno(prctlCall(option, argument, 0, 0, 0));
}

export function schedGetScheduler(thread: number): number {
  return orErrno(schedGetSchedulerCall(thread));
}

export function schedSetScheduler(thread: number, policy: number, priority: number): number {
  return orErrno(schedSetSchedulerCall(thread, policy, new Uint8Array(Int32Array.of(priority).buffer)));
}

/** By number, because not every libc has it. */
export function mlock2(address: number, lengthBytes: number, flags: number): number {
  return orErrno(syscall4(SYS_MLOCK2, address, lengthBytes, flags, 0));
}

/** Becomes another program with the same process number, environment and standard files. Returns only on failure. */
export function execv(path: string, argv: readonly string[]): number {
  return orErrno(execvCall(path, [...argv, null]));
}

// ---- sockets

export function socket(domain: number, type: number, protocol: number): number {
  return orErrno(socketCall(domain, type, protocol));
}

/** `pair`: receives two s32 descriptors. */
export function socketpair(domain: number, type: number, protocol: number, pair: CallMemory): number {
  return orErrno(socketpairCall(domain, type, protocol, pair));
}

export function bind(fd: number, address: CallMemory): number {
  return orErrno(bindCall(fd, address, address.byteLength));
}

export function connect(fd: number, address: CallMemory): number {
  return orErrno(connectCall(fd, address, address.byteLength));
}

export function listen(fd: number, backlog: number): number {
  return orErrno(listenCall(fd, backlog));
}

/** `lengthBytes`: a u32, capacity of `address` on the way in, length used on the way out. */
export function getsockname(fd: number, address: CallMemory, lengthBytes: CallMemory): number {
  return orErrno(getsocknameCall(fd, address, lengthBytes));
}

export function setsockopt(fd: number, level: number, option: number, value: CallMemory): number {
  return orErrno(setsockoptCall(fd, level, option, value, value.byteLength));
}

export function shutdown(fd: number, how: number): number {
  return orErrno(shutdownCall(fd, how));
}

/** One datagram to `address`, a struct sockaddr. */
export function sendto(fd: number, data: CallMemory, flags: number, address: CallMemory): number {
  return orErrno(sendtoCall(fd, data, data.byteLength, flags, address, address.byteLength));
}

/** `messageAddress`: a `struct msghdr` (56 bytes). */
export function sendmsg(fd: number, messageAddress: number, flags: number): number {
  return orErrno(sendmsgCall(fd, messageAddress, flags));
}
