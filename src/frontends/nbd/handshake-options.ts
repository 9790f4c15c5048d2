import type { Haggling } from './handshake.js';
import { MAX_CONTEXT_QUERIES, MAX_PAYLOAD_BYTES } from './limits.js';
import { contextsListed, contextsSelected, META_CONTEXTS, type MetaContextSet } from './meta-contexts.js';
import type { OptionData } from './option-data.js';
import {
  blockSizeInfo,
  contextReplies,
  exportInfo,
  listReply,
  optionReply,
  textInfo,
} from './option-replies.js';
import { Info, Option, OptionReply } from './protocol.js';
import type { ServedExport } from './served-export.js';

export interface OptionAnswer {
  readonly replies: readonly Uint8Array[];
  /** The name GO chose, when transmission starts behind these replies. */
  readonly chosenName: string | null;
}

/** Answers every option but EXPORT_NAME and ABORT, with exactly one final reply. `flags`: transmission flags now. */
export function answerOption(
  option: number,
  data: OptionData,
  served: ServedExport,
  haggling: Haggling,
  flags: number,
): OptionAnswer {
  switch (option) {
    case Option.list:
      if (data.remainingBytes > 0) return invalid(option, 'LIST takes no data');
      return answer(listReply(option, served), optionReply(option, OptionReply.ack));
    case Option.startTls:
      if (data.remainingBytes > 0) return invalid(option, 'STARTTLS takes no data');
      return answer(optionReply(option, OptionReply.policy, 'TLS is not configured here'));
    case Option.info:
    case Option.go:
      return answerInfo(option, data, served, flags);
    case Option.structuredReply:
      return answerStructuredReply(option, data, haggling);
    case Option.listMetaContext:
    case Option.setMetaContext:
      return answerMetaContext(option, data, served, haggling);
    default:
      return answer(optionReply(option, OptionReply.unsupported, 'option not supported'));
  }
}

function answerInfo(option: number, data: OptionData, served: ServedExport, flags: number): OptionAnswer {
  const name = data.countedText();
  const count = name === null ? null : data.u16();
  if (name === null || count === null || data.remainingBytes !== count * 2) {
    return invalid(option, 'malformed request');
  }
  if (!isServed(name, served)) return unknownExport(option);
  const wanted = new Set<number>();
  for (let i = 0; i < count; i += 1) wanted.add(data.u16() ?? Info.export);
  const replies = [
    exportInfo(option, served, flags),
    blockSizeInfo(option, served, MAX_PAYLOAD_BYTES),
    ...(wanted.has(Info.name) ? [textInfo(option, Info.name, served.name)] : []),
    ...(wanted.has(Info.description) ? [textInfo(option, Info.description, served.description)] : []),
    optionReply(option, OptionReply.ack),
  ];
  return { replies, chosenName: option === Option.go ? name : null };
}

function answerStructuredReply(option: number, data: OptionData, haggling: Haggling): OptionAnswer {
  if (data.remainingBytes > 0) return invalid(option, 'STRUCTURED_REPLY takes no data');
  if (haggling.structuredReplies) return invalid(option, 'structured replies were agreed already');
  haggling.structuredReplies = true;
  return answer(optionReply(option, OptionReply.ack));
}

function answerMetaContext(
  option: number,
  data: OptionData,
  served: ServedExport,
  haggling: Haggling,
): OptionAnswer {
  const selecting = option === Option.setMetaContext;
  if (selecting) {
    // SET replaces the selection, also when it fails.
    haggling.contexts = 0;
    haggling.contextsFor = null;
    if (!haggling.structuredReplies) return invalid(option, 'structured replies come first');
  }
  const name = data.countedText();
  const count = name === null ? null : data.u32();
  if (name === null || count === null) return invalid(option, 'malformed request');
  if (count > MAX_CONTEXT_QUERIES) return answer(optionReply(option, OptionReply.tooBig, 'too many queries'));
  const set = queriedContexts(data, count, selecting);
  if (set === null) return invalid(option, 'malformed query');
  if (!isServed(name, served)) return unknownExport(option);
  if (selecting) {
    haggling.contexts = set;
    haggling.contextsFor = name;
  }
  return answer(...contextReplies(option, set, selecting), optionReply(option, OptionReply.ack));
}

/** Null when the queries do not fill the rest of the data exactly, or are no text. */
function queriedContexts(data: OptionData, count: number, selecting: boolean): MetaContextSet | null {
  let set = 0;
  for (let i = 0; i < count; i += 1) {
    const query = data.countedText();
    if (query === null) return null;
    set |= selecting ? contextsSelected(query) : contextsListed(query);
  }
  if (data.remainingBytes > 0) return null;
  if (count === 0 && !selecting) return META_CONTEXTS.reduce((all, context) => all | context.bit, 0);
  return set;
}

function isServed(name: string, served: ServedExport): boolean {
  return name === '' || name === served.name;
}

function unknownExport(option: number): OptionAnswer {
  return answer(optionReply(option, OptionReply.unknown, 'no such export'));
}

function invalid(option: number, text: string): OptionAnswer {
  return answer(optionReply(option, OptionReply.invalid, text));
}

function answer(...replies: Uint8Array[]): OptionAnswer {
  return { replies, chosenName: null };
}
