import { assert } from '../base/assert.js';
import { VERIFY_TICKETS } from '../device/readmission.js';
import type { ReturnCandidate, ReturnSearch } from '../device/return-candidate.js';
import { MAIN } from '../engine/effect.js';
import { hasVanished, type KnownDevice, rememberDevice, replaceDescriptor } from '../kernel/known-device.js';
import type { OpenDevice } from '../kernel/open-device.js';
import { closeDevice, openDevice } from '../kernel/open-device.js';
import { describeOpenFailure, type OpenFailure } from '../kernel/open-failure.js';
import type { BlockStore } from '../ports/block-store.js';
import { compareIdentity } from './compare-identity.js';
import { type BlockDeviceSearch, findBlockDevice } from './find-block-device.js';
import { misfit } from './misfit.js';

/**
 * Finds devices that have vanished and opens them, exclusively as at start. A descriptor that is taken over keeps its
 * number, so that every store on it, on whatever thread, works on the returned device from then on.
 */
export class ReturnFinder {
  /** By target. */
  readonly #known: KnownDevice[];
  readonly #storeOf: (device: OpenDevice, ticketCount: number) => BlockStore;

  /** `devices`: by target, open. */
  constructor(
    devices: readonly OpenDevice[],
    storeOf: (device: OpenDevice, ticketCount: number) => BlockStore,
  ) {
    this.#known = devices.map((device) => rememberDevice(device));
    this.#storeOf = storeOf;
  }

  /** For `DeviceParts.findReturned`. */
  readonly find = (target: number, found: (search: ReturnSearch) => void): void => {
    found(this.#search(target));
  };

  #search(target: number): ReturnSearch {
    const known = this.#known[target];
    assert(known !== undefined, `target ${target} was opened`);
    const search = known.device.kind === 'file' ? searchFile(known) : searchBlockDevice(known);
    if (search.kind !== 'there') return search;
    const { geometry } = known.device;
    const opened = openDevice(search.path, {
      readOnly: false,
      takesReadOnly: target === MAIN,
      exclusive: true,
      fileLogicalBlockBytes: geometry.logicalBlockBytes,
      waitForLock: false,
    });
    if (!opened.ok) return ofOpenFailure(known, opened.error);
    const candidate = this.#examine(target, known, opened.value, search.proof);
    if (candidate.kind !== 'candidate') closeDevice(opened.value);
    return candidate;
  }

  /** What holds of the open device, whatever its path was a moment ago. */
  #examine(
    target: number,
    known: KnownDevice,
    opened: OpenDevice,
    proofOfPath: ReturnCandidate['proof'],
  ): ReturnSearch {
    const name = opened.path;
    const reason = misfit(known.device, opened);
    if (reason !== undefined) return { kind: 'refused', name, reason };
    const now = rememberDevice(opened);
    const identity = compareIdentity(known.device.geometry.identity, opened.geometry.identity);
    if (proofOfPath === 'identity' && identity !== 'same') return { kind: 'absent' };
    const proof = isSameFile(known, now) ? 'sameFile' : proofOfPath;
    const store = this.#storeOf(opened, VERIFY_TICKETS);
    const candidate: ReturnCandidate = {
      name,
      proof,
      store,
      accept: () => {
        replaceDescriptor(known.device, opened);
        store.close();
        this.#known[target] = { ...now, device: known.device };
      },
      refuse: () => store.close(),
    };
    return { kind: 'candidate', candidate };
  }
}

type PathSearch =
  | BlockDeviceSearch
  | { readonly kind: 'there'; readonly path: string; readonly proof: 'samePath' };

/** As long as it is there, it is not looked for elsewhere: it may answer again. */
function searchBlockDevice(known: KnownDevice): BlockDeviceSearch {
  return hasVanished(known.device) ? findBlockDevice(known) : { kind: 'absent' };
}

/** A file is at its path, or nowhere. If it is the very one that is open, opening it fails because of our own lock. */
function searchFile({ device }: KnownDevice): PathSearch {
  return { kind: 'there', path: device.path, proof: 'samePath' };
}

/** A file that is locked is the one that we have open ourselves; what is not there may come yet. */
function ofOpenFailure({ device }: KnownDevice, failure: OpenFailure): ReturnSearch {
  const isOurs = device.kind === 'file' && failure.kind === 'locked';
  if (isOurs || failure.kind === 'notFound' || failure.kind === 'gone') return { kind: 'absent' };
  return { kind: 'refused', name: failure.path, reason: describeOpenFailure(failure) };
}

function isSameFile({ file: one }: KnownDevice, { file: other }: KnownDevice): boolean {
  if (one === null || other === null) return false;
  return one.inode === other.inode && one.birthNs === other.birthNs && one.birthNs !== 0n;
}
