import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Handshake, type HandshakeStep } from './handshake.js';
import { MAX_OPTION_DATA_BYTES, MAX_OPTIONS } from './limits.js';
import { Info, Option, OptionReply } from './protocol.js';
import type { ServedExport } from './served-export.js';
import {
  contextData,
  counted,
  infoData,
  optionBytes,
  parseOptionReplies,
  u16,
  u32,
} from './testing/test-client.js';

const SERVED: ServedExport = {
  name: 'disk',
  description: 'a disk',
  sizeBytes: 2 ** 40 + 512,
  minimumBlockBytes: 512,
  preferredBlockBytes: 4096,
  flags: 0x0d6d,
};

/** Feeds options one by one to a handshake that has its client flags. */
class Dialogue {
  readonly handshake = new Handshake(SERVED);

  constructor(clientFlags = 3) {
    expect(this.handshake.step(u32(clientFlags)).kind).toBe('reply');
  }

  step(option: number, data?: Uint8Array): HandshakeStep {
    return this.handshake.step(optionBytes(option, data));
  }

  /** Reply types of one option. */
  types(option: number, data?: Uint8Array): number[] {
    const step = this.step(option, data);
    if (step.kind === 'needMore') throw new Error('incomplete option');
    const { replies, rest } = parseOptionReplies(step.reply);
    expect(rest.length).toBe(0);
    for (const reply of replies) expect(reply.option).toBe(option);
    return replies.map((reply) => reply.type);
  }
}

const { ack, server, info, metaContext, unsupported, policy, invalid, unknown, tooBig } = OptionReply;

describe('the NBD handshake', () => {
  it('drops a client with unknown flags', () => {
    expect(new Handshake(SERVED).step(u32(4)).kind).toBe('close');
    expect(new Handshake(SERVED).step(u32(0x80000003)).kind).toBe('close');
  });

  it('closes on a wrong option magic', () => {
    const bytes = Buffer.from(optionBytes(Option.list));
    bytes[0] = 0;
    expect(new Dialogue().handshake.step(bytes).kind).toBe('close');
  });

  it('lets a client without fixed newstyle only name an export', () => {
    expect(new Dialogue(0).step(Option.list).kind).toBe('close');
    expect(new Dialogue(0).step(Option.exportName, Buffer.from('disk')).kind).toBe('transmission');
  });

  it('answers what it does not know with UNSUP and goes on', () => {
    const dialogue = new Dialogue();
    for (const option of [Option.peekExport, Option.extendedHeaders, 12, 0, 0xffffffff]) {
      expect(dialogue.types(option, Buffer.alloc(100))).toEqual([unsupported]);
    }
    expect(dialogue.types(Option.list)).toEqual([server, ack]);
  });

  it('acknowledges ABORT, with data too, and closes', () => {
    const step = new Dialogue().step(Option.abort, Buffer.from('bye'));
    expect(step.kind).toBe('close');
    expect(parseOptionReplies((step as { reply: Uint8Array }).reply).replies[0]?.type).toBe(ack);
  });

  it('refuses data behind options that take none', () => {
    for (const option of [Option.list, Option.startTls, Option.structuredReply]) {
      expect(new Dialogue().types(option, Buffer.from('x'))).toEqual([invalid]);
    }
  });

  it('says POLICY to STARTTLS, never that TLS is required', () => {
    expect(new Dialogue().types(Option.startTls)).toEqual([policy]);
  });

  it('pads the answer to EXPORT_NAME only when NO_ZEROES was not agreed', () => {
    const name = Buffer.from('disk');
    const lengthOf = (step: HandshakeStep) => (step.kind === 'transmission' ? step.reply.length : -1);
    expect(lengthOf(new Dialogue(1).step(Option.exportName, name))).toBe(134);
    expect(lengthOf(new Dialogue(3).step(Option.exportName, name))).toBe(10);
  });

  it.each(['other', 'disk\0junk', 'dis', 'x'.repeat(4097)])('closes on EXPORT_NAME %j', (name) => {
    expect(new Dialogue().step(Option.exportName, Buffer.from(name)).kind).toBe('close');
  });

  it('gives size, flags and block sizes before the ACK of GO', () => {
    const step = new Dialogue().step(Option.go, infoData('', Info.name, Info.description, 99, Info.name));
    if (step.kind !== 'transmission') throw new Error(step.kind);
    const { replies } = parseOptionReplies(step.reply);
    expect(replies.map((reply) => reply.type)).toEqual([info, info, info, info, ack]);
    const exported = replies.find(
      (reply) => reply.type === info && reply.data.readUInt16BE(0) === Info.export,
    );
    expect(exported?.data.readBigUInt64BE(2)).toBe(2n ** 40n + 512n);
    expect(exported?.data.readUInt16BE(10)).toBe(0x0d6d);
    const sizes = replies.find(
      (reply) => reply.type === info && reply.data.readUInt16BE(0) === Info.blockSize,
    );
    expect([2, 6, 10].map((at) => sizes?.data.readUInt32BE(at))).toEqual([512, 4096, 32 << 20]);
  });

  it('stays in haggling after INFO and gives GO the same information', () => {
    const dialogue = new Dialogue();
    const first = dialogue.step(Option.info, infoData('disk', Info.blockSize)) as { reply: Uint8Array };
    const second = dialogue.step(Option.go, infoData('disk', Info.blockSize)) as { reply: Uint8Array };
    const datas = (reply: Uint8Array) =>
      parseOptionReplies(reply).replies.map((seen) => [seen.type, seen.data]);
    expect(datas(second.reply)).toEqual(datas(first.reply));
  });

  it('announces DF only when structured replies were agreed', () => {
    const dialogue = new Dialogue();
    dialogue.step(Option.structuredReply);
    const step = dialogue.step(Option.go, infoData('disk')) as { reply: Uint8Array };
    expect(parseOptionReplies(step.reply).replies[0]?.data.readUInt16BE(10)).toBe(0x0ded);
    expect(dialogue).toBeDefined();
  });

  it('refuses malformed GO and INFO without losing its place', () => {
    const bad: Uint8Array[] = [
      Buffer.alloc(0),
      u32(4),
      Buffer.concat([u32(100), Buffer.from('disk'), u16(0)]),
      Buffer.concat([counted('disk'), u16(2), u16(1)]),
      Buffer.concat([counted('disk'), u16(0), u16(1)]),
      infoData('disk\0'),
      Buffer.concat([u32(2), Buffer.from([0xc3, 0x28]), u16(0)]),
      infoData('x'.repeat(4097)),
    ];
    const dialogue = new Dialogue();
    for (const data of bad) expect(dialogue.types(Option.info, data)).toEqual([invalid]);
    expect(dialogue.types(Option.info, infoData('nobody'))).toEqual([unknown]);
    expect(dialogue.step(Option.go, infoData('disk')).kind).toBe('transmission');
  });

  it('lists contexts by name, by namespace, and all of them for no query', () => {
    const dialogue = new Dialogue();
    const names = (...queries: string[]): string[] => {
      const step = dialogue.step(Option.listMetaContext, contextData('disk', ...queries)) as {
        reply: Uint8Array;
      };
      const { replies } = parseOptionReplies(step.reply);
      expect(replies.at(-1)?.type).toBe(ack);
      return replies.slice(0, -1).map((reply) => `${reply.data.readUInt32BE(0)} ${reply.data.subarray(4)}`);
    };
    expect(names()).toEqual(['0 base:allocation', '0 x-dm-remap:state']);
    expect(names('base:')).toEqual(['0 base:allocation']);
    expect(names('x-dm-remap:')).toEqual(['0 x-dm-remap:state']);
    expect(names('qemu:', 'base:nothing', 'no colon')).toEqual([]);
  });

  it('selects contexts for the export named, one id per context', () => {
    const dialogue = new Dialogue();
    const select = (...queries: string[]) =>
      dialogue.types(Option.setMetaContext, contextData('disk', ...queries));
    expect(select('base:allocation')).toEqual([invalid]);
    dialogue.step(Option.structuredReply);
    expect(select('base:allocation', 'base:allocation', 'x-dm-remap:state')).toEqual([
      metaContext,
      metaContext,
      ack,
    ]);
    expect(select('base:')).toEqual([ack]);
    expect(select('base:allocation')).toEqual([metaContext, ack]);
    const step = dialogue.step(Option.go, infoData('disk'));
    expect(step).toMatchObject({ negotiated: { structuredReplies: true, contexts: 1 } });
  });

  it.each([
    ['a failed SET', optionBytes(Option.setMetaContext, contextData('nobody', 'base:allocation'))],
    ['a malformed SET', optionBytes(Option.setMetaContext, u32(9))],
    ['an empty SET', optionBytes(Option.setMetaContext, contextData('disk'))],
    ['a SET for another name', optionBytes(Option.setMetaContext, contextData('', 'base:allocation'))],
  ])('forgets the selection after %s', (_, bytes) => {
    const dialogue = new Dialogue();
    dialogue.step(Option.structuredReply);
    dialogue.step(Option.setMetaContext, contextData('disk', 'base:allocation'));
    expect(dialogue.handshake.step(bytes).kind).toBe('reply');
    expect(dialogue.step(Option.go, infoData('disk'))).toMatchObject({ negotiated: { contexts: 0 } });
  });

  it('refuses queries that run past the data, and too many of them', () => {
    const dialogue = new Dialogue();
    const past = Buffer.concat([counted('disk'), u32(1), u32(100), Buffer.from('base:')]);
    expect(dialogue.types(Option.listMetaContext, past)).toEqual([invalid]);
    const many = Buffer.concat([counted('disk'), u32(100_000)]);
    expect(dialogue.types(Option.listMetaContext, many)).toEqual([tooBig]);
  });

  it('refuses a second STRUCTURED_REPLY', () => {
    const dialogue = new Dialogue();
    expect(dialogue.types(Option.structuredReply)).toEqual([ack]);
    expect(dialogue.types(Option.structuredReply)).toEqual([invalid]);
  });

  it('closes on option data beyond the limit, without waiting for it', () => {
    const header = Buffer.from(optionBytes(Option.list));
    header.writeUInt32BE(MAX_OPTION_DATA_BYTES + 1, 12);
    expect(new Dialogue().handshake.step(header).kind).toBe('close');
  });

  it('closes on too many options', () => {
    const dialogue = new Dialogue();
    for (let i = 0; i < MAX_OPTIONS; i += 1) expect(dialogue.step(Option.list).kind).toBe('reply');
    expect(dialogue.step(Option.list).kind).toBe('close');
  });

  it('asks for more bytes, and never more than a whole message, on every prefix', () => {
    const whole = optionBytes(Option.info, infoData('disk', 1, 2, 3));
    for (let length = 0; length < whole.length; length += 1) {
      const step = new Dialogue().handshake.step(whole.subarray(0, length));
      expect(step).toEqual({ kind: 'needMore', totalBytes: length < 16 ? 16 : whole.length });
    }
  });

  it('gives exactly one final reply to any option with any data', () => {
    const anyOption = fc.tuple(fc.integer({ min: 2, max: 14 }), fc.uint8Array({ maxLength: 60 }));
    fc.assert(
      fc.property(fc.array(anyOption, { maxLength: 20 }), (options) => {
        const dialogue = new Dialogue();
        for (const [option, data] of options) {
          const step = dialogue.step(option, data);
          if (step.kind === 'needMore') throw new Error('the option was complete');
          const { replies } = parseOptionReplies(step.reply);
          const finals = replies.filter(({ type }) => type === ack || type >= 0x80000000);
          expect(finals.length).toBe(1);
          expect(replies.at(-1)).toBe(finals[0]);
          if (step.kind !== 'reply') return;
        }
      }),
      { numRuns: 300 },
    );
  });
});
