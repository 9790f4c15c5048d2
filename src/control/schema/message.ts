import { z } from 'zod';
import { wholeNumber } from './whole-number.js';

export const messageSchema = z.object({
  sector: wholeNumber.default(0).describe('as dmsetup takes it; it has to be inside the device'),
  message: z.string().max(4096).describe('for example "remap 1000"'),
});

export const messageReplySchema = z
  .object({
    text: z.string().describe('as the documents of the kernel module word it; can have several lines'),
    failure: z
      .enum(['usage', 'device', 'refused', 'metadata', 'io', 'system'])
      .nullable()
      .describe('null: done'),
  })
  .meta({ id: 'MessageReply' });

export const suspendSchema = z.object({
  flush: z.boolean().default(true).describe('make what was written durable first'),
});

export const changeSchema = z
  .object({ changed: z.boolean().describe('false: it was so already') })
  .meta({ id: 'Change' });

export type MessageReplyResource = z.infer<typeof messageReplySchema>;
export type ChangeResource = z.infer<typeof changeSchema>;
