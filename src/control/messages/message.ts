import type { FailureClass } from '../../library/errors.js';
import type { ServedSet } from '../served-set.js';

/** What messages speak of; a test hands in its own. */
export interface MessageTarget {
  readonly device: Pick<
    ServedSet['device'],
    'info' | 'status' | 'remaps' | 'remapAt' | 'moveByHand' | 'giveBack' | 'scrubMetadata' | 'flush' | 'ublk'
  >;
  readonly figures: ServedSet['figures'];
  readonly createdAs: ServedSet['createdAs'];
  readonly nowSeconds: () => number;
}

/** The answer to a message. */
export interface MessageReply {
  /** Without the line's end. */
  readonly text: string;
  /** The class decides the exit status of a command; null: done. */
  readonly failure: FailureClass | null;
}

/** One message: what follows its name, and what it is said to. */
export type Answer = (
  words: readonly string[],
  target: MessageTarget,
) => MessageReply | Promise<MessageReply>;

/** By name, in small letters. */
export type MessageFamily = Readonly<Record<string, Answer>>;

export function done(text: string): MessageReply {
  return { text, failure: null };
}

export function notDone(text: string, failure: FailureClass = 'usage'): MessageReply {
  return { text, failure };
}

/** A whole number, decimal or 0x; undefined for anything else. */
export function numberOf(word: string | undefined): number | undefined {
  if (word === undefined || !/^(\d+|0x[0-9a-f]+)$/i.test(word)) return undefined;
  const number = Number(word);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A sector (512 bytes) of the device. */
export function sectorOf(word: string | undefined, target: MessageTarget): number | undefined {
  const sector = numberOf(word);
  return sector !== undefined && sector < sectorCountOf(target) ? sector : undefined;
}

export function sectorCountOf({ device }: MessageTarget): number {
  return device.info.sizeBytes / SECTOR_BYTES;
}

export function unitSectorsOf({ device }: MessageTarget): number {
  return device.info.unitBytes / SECTOR_BYTES;
}

export function invalidSector(word: string | undefined): MessageReply {
  return notDone(`error: invalid sector '${word ?? ''}'`);
}

const SECTOR_BYTES = 512;
