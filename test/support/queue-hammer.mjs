/**
 * A thread that serves a queue of a device to itself: random reads, writes, zeroes and flushes, several at a time, on
 * groups of blocks that are its own. Units are shared with the groups of others. Says at the end what its blocks hold.
 */
import { readFileSync } from 'node:fs';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { QUEUE_TICKET_COUNT } from '../../dist/device/limits.js';
import { QueueDevice, viewShare } from '../../dist/device/queue-device.js';
import { viewMappedMemory } from '../../dist/kernel/aligned-memory.js';
import { UringReactor } from '../../dist/kernel/reactor.js';
import { UringStore } from '../../dist/kernel/uring-store.js';
import { wake } from '../../dist/kernel/wake-up.js';
import { parseFaultScenario } from '../../dist/storage/fault-scenario.js';
import { FaultStore } from '../../dist/storage/fault-store.js';

const BLOCK_BYTES = 512;
const GROUP_BLOCKS = 4;
const GROUP_BYTES = GROUP_BLOCKS * BLOCK_BYTES;
const WORDS = BLOCK_BYTES / 4;

const { share, wakeUpFd, faults, client, clientCount, requestCount, depth, memoryOffset, seed } = workerData;
const reactor = UringReactor.open(256, wakeUpFd).value;
const memory = viewMappedMemory(share.memoryAddress, share.memoryBytes);
const device = openFaulty();
const groupCount = Math.floor(device.geometry.sizeBytes / GROUP_BYTES / clientCount);
/** By group of ours, block after block: what was acknowledged last. -1: a request is in flight. */
const contents = new Int32Array(groupCount * GROUP_BLOCKS).fill(client + 1);
const isBusy = new Uint8Array(groupCount);
const failures = [];
const inFlight = new Map();
let state = seed;
let nextContents = 1000 + client * 100_000_000;
let started = 0;
let nextFlushAllowedAt = 0;

const sink = { completed };
reactor.addPoller({ poll: fill });
reactor.kick();
reactor.run();
parentPort.postMessage({ contents, failures });
waitForClose();

function openFaulty() {
  const rules = parseFaultScenario(readFileSync(faults, 'utf8'), faults).value;
  const stores = share.openDevices.map((open, index) => {
    const store = new UringStore({ ...open, isBorrowed: true }, memory, reactor.ring, QUEUE_TICKET_COUNT);
    return index === 0 ? new FaultStore(store, rules.main, { scheduler: reactor, memory }) : store;
  });
  const queue = new QueueDevice({
    ...viewShare(share.device, share.queueMemory),
    stores,
    wantPoll: () => reactor.kick(),
    wakeOwner: () => wake(share.ownerWakeUpFd),
  });
  for (const store of stores) store.attach(queue);
  reactor.addPoller(queue);
  reactor.onWake(() => reactor.kick());
  return queue;
}

function random() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}

/** The reactor's: starts what may be started. */
function fill() {
  while (inFlight.size < depth && started < requestCount) startOne();
  if (inFlight.size === 0 && started >= requestCount) reactor.stop();
  return false;
}

function startOne() {
  started += 1;
  const kind = random() % 64;
  if (kind === 0 && started >= nextFlushAllowedAt) {
    nextFlushAllowedAt = started + 200;
    const slot = device.acquire(sink);
    inFlight.set(slot, { operation: 'flush', group: -1 });
    return device.flush(slot);
  }
  let group = random() % groupCount;
  while (isBusy[group] === 1) group = (group + 1) % groupCount;
  isBusy[group] = 1;
  const slot = device.acquire(sink);
  const operation = kind === 1 ? 'zero' : kind < 36 ? 'write' : 'read';
  const first = operation === 'zero' ? 0 : random() % GROUP_BLOCKS;
  const count = operation === 'zero' ? GROUP_BLOCKS : 1 + (random() % (GROUP_BLOCKS - first));
  const at = (group * clientCount + client) * GROUP_BYTES + first * BLOCK_BYTES;
  const place = memoryOffset + slot * GROUP_BYTES;
  const value = operation === 'write' ? nextContents++ : 0;
  inFlight.set(slot, { operation, group, first, count, value, place });
  if (operation === 'zero') return device.writeZeroes(slot, at, count * BLOCK_BYTES, 0);
  const words = new Int32Array(memory.bytes.buffer, memory.bytes.byteOffset + place, count * WORDS);
  if (operation === 'read') {
    words.fill(-7);
    return device.read(slot, at, count * BLOCK_BYTES, place);
  }
  words.fill(value);
  device.write(slot, at, count * BLOCK_BYTES, place, random() % 16 === 0);
}

function completed(slot, errno) {
  const request = inFlight.get(slot);
  inFlight.delete(slot);
  reactor.kick();
  if (errno !== 0) failures.push(`${request.operation} of group ${request.group}: errno ${errno}`);
  if (request.group === -1) return;
  isBusy[request.group] = 0;
  const { operation, group, first, count, value, place } = request;
  const from = group * GROUP_BLOCKS + first;
  if (operation !== 'read') return contents.fill(value, from, from + count);
  const words = new Int32Array(memory.bytes.buffer, memory.bytes.byteOffset + place, count * WORDS);
  for (let word = 0; word < words.length; word += 1) {
    const wanted = contents[from + Math.floor(word / WORDS)];
    if (words[word] === wanted) continue;
    failures.push(`group ${group} word ${word} of ${first}+${count}: ${words[word]}, not ${wanted}`);
    return;
  }
}

/** What is shared stays until everybody is done. */
function waitForClose() {
  while (receiveMessageOnPort(parentPort) === undefined) reactor.turn(-1);
  reactor.close();
  parentPort.close();
}
