import { Version } from './block-pattern.js';
import type { Reversal } from './reversals.js';

/** A read or a write of a client, as the model of the device sees it. */
export interface ModelRequest {
  readonly kind: 'read' | 'write';
  readonly first: number;
  readonly count: number;
  readonly version: number;
  /** Writes that overlap it, also in time. */
  readonly rivals: ModelRequest[];
  /** Of a write: what a disk went back to from its version; a loss only if it is acknowledged all the same. */
  readonly reversals: (Reversal & { readonly block: number })[];
  /** Of a read, per block: what was allowed when it began. */
  readonly allowed: (number | readonly number[])[];
  /** Of a read: at some time, one of its blocks could be lost. */
  mayFail: boolean;
}

export function newRequest(kind: 'read' | 'write', first: number, count: number): ModelRequest {
  return { kind, first, count, version: 0, rivals: [], reversals: [], allowed: [], mayFail: false };
}

/** Stands for a change of one block that no request made. */
export function rivalOf(block: number, version: number): ModelRequest {
  return { ...newRequest('write', block, 1), version };
}

export function overlaps(one: ModelRequest, other: ModelRequest): boolean {
  return one.first < other.first + other.count && other.first < one.first + one.count;
}

export function covers({ first, count }: ModelRequest, block: number): boolean {
  return block >= first && block < first + count;
}

export function isDiscard({ version }: ModelRequest): boolean {
  return version === Version.anything;
}
