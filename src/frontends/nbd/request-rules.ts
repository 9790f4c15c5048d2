import { NbdError } from './errors.js';
import { MAX_PAYLOAD_BYTES } from './limits.js';
import { COMMAND_COUNT, Command, CommandFlag } from './protocol.js';
import type { RequestHeader } from './request-header.js';
import type { ServedExport } from './served-export.js';

/** What a request is checked against: the export, and what its connection negotiated. */
export interface RequestRules {
  readonly export: ServedExport;
  readonly readOnly: boolean;
  readonly structuredReplies: boolean;
  readonly hasContexts: boolean;
}

/** Flags each command may carry ("Command flags"). FUA is announced, so every command takes it. */
const LEGAL_FLAGS = new Uint16Array(COMMAND_COUNT).fill(CommandFlag.fua);
LEGAL_FLAGS[Command.read]! |= CommandFlag.dontFragment;
LEGAL_FLAGS[Command.writeZeroes]! |= CommandFlag.noHole | CommandFlag.fastZero;
LEGAL_FLAGS[Command.blockStatus]! |= CommandFlag.requestOne;

/** The NBD error that a request earns before anything is done for it, or 0. DISC is not asked about. */
export function requestError(header: RequestHeader, rules: RequestRules): number {
  const { type, flags } = header;
  if (type >= COMMAND_COUNT || (flags & ~LEGAL_FLAGS[type]!) !== 0) return NbdError.invalid;
  if (flags & CommandFlag.dontFragment && !rules.structuredReplies) return NbdError.invalid;
  if (type === Command.flush) return flushError(header);
  if (type === Command.blockStatus && !rules.hasContexts) return NbdError.invalid;
  if (rules.readOnly && changesData(type)) return NbdError.notPermitted;
  if (carriesData(type) && header.lengthBytes > MAX_PAYLOAD_BYTES) return NbdError.invalid;
  return rangeError(header, rules.export);
}

function flushError(header: RequestHeader): number {
  return header.offsetBytes === 0 && header.lengthBytes === 0 ? NbdError.none : NbdError.invalid;
}

function rangeError(header: RequestHeader, served: ServedExport): number {
  const { offsetBytes, lengthBytes, type } = header;
  if (offsetBytes > served.sizeBytes || lengthBytes > served.sizeBytes - offsetBytes) {
    return type === Command.write || type === Command.writeZeroes ? NbdError.noSpace : NbdError.invalid;
  }
  if (offsetBytes % served.minimumBlockBytes !== 0 || lengthBytes % served.minimumBlockBytes !== 0) {
    return NbdError.invalid;
  }
  // A status reply needs at least one extent, and an extent is never empty.
  return type === Command.blockStatus && lengthBytes === 0 ? NbdError.invalid : NbdError.none;
}

function changesData(type: number): boolean {
  return type === Command.write || type === Command.trim || type === Command.writeZeroes;
}

function carriesData(type: number): boolean {
  return type === Command.read || type === Command.write;
}
