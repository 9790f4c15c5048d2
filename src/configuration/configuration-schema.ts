import { z } from 'zod';
import { problemOfSetName } from '../base/set-name.js';
import { parseNbdUri } from '../frontends/nbd/uri.js';
import { settingValuesSchema } from '../settings/settings-schema.js';

const absolutePath = z
  .string('must be a path')
  .regex(/^\/.*[^/]$/, 'must be an absolute path, from / on')
  .describe('an absolute path; the names in /dev/disk/by-id do not change');

const nbdUri = z
  .string('must be an NBD URI')
  .superRefine((text, context) => {
    const uri = parseNbdUri(text);
    if (!uri.ok) context.addIssue({ code: 'custom', message: uri.error.reason });
  })
  .describe('nbd+unix:///EXPORT?socket=PATH, nbd://ADDRESS:PORT/EXPORT, or nbds:// with TLS');

const setName = z.string('must be a text').superRefine((text, context) => {
  const problem = problemOfSetName(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const ublkSchema = z
  .strictObject({
    queues: count(64).optional().describe('hardware queues, one thread each; default 1'),
    depth: count(1024).optional().describe('requests in flight per queue; default 128'),
  })
  .describe('a block device /dev/ublkbN');

const setSchema = z
  .strictObject(
    {
      main: absolutePath.describe('the disk, or image file, that is protected'),
      spares: z
        .array(absolutePath, 'must be a list of paths')
        .min(1, 'must name one spare at least')
        .max(8, 'a set has 8 spares at most')
        .describe('all spares of the set, in any order'),
      name: setName.optional().describe('what it is called; default: the name above it'),
      frontends: z
        .strictObject(
          {
            ublk: z
              .union([z.boolean(), ublkSchema], {
                error: 'must be true, false, or a map of queues and depth',
              })
              .optional(),
            nbd: z.array(nbdUri, 'must be a list of NBD URIs').optional(),
            tls_directory: absolutePath.optional().describe('server-cert.pem and server-key.pem, for nbds'),
            verify_clients: z.boolean('must be true or false').optional(),
          },
          { error: keysAllowed('ublk, nbd, tls_directory, verify_clients') },
        )
        .optional()
        .describe('where it is served'),
      archive: absolutePath.optional().describe('a directory for texts of the map'),
      settings: settingValuesSchema.optional().describe('beat what is kept on the spares (docs/settings.md)'),
    },
    { error: keysAllowed('main, spares, name, frontends, archive, settings') },
  )
  .describe('a set, as "dmremap run" takes it');

/** A configuration file (docs/configuration.md). */
export const configurationSchema = z
  .strictObject(
    {
      sets: z
        .record(
          z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, nameProblem()),
          setSchema,
          'must be a map of names to sets',
        )
        .optional(),
      settings: settingValuesSchema.optional().describe('for all sets that do not say otherwise'),
    },
    { error: keysAllowed('sets, settings') },
  )
  .describe('Configuration of dm-remap');

export type ConfigurationText = z.infer<typeof configurationSchema>;
export type SetText = z.infer<typeof setSchema>;

function count(maximum: number) {
  const problem = `must be a whole number from 1 to ${maximum}`;
  return z.int(problem).min(1, problem).max(maximum, problem);
}

function keysAllowed(keys: string) {
  return ({ code }: { readonly code?: string }): string =>
    code === 'unrecognized_keys' ? `unknown key; allowed: ${keys}` : `must be a map of: ${keys}`;
}

function nameProblem(): string {
  return 'a name has up to 64 letters, digits, "_", "-" and ".", a letter or digit first';
}
