import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { failed, ok, type Result } from '../../base/result.js';

/** PEM texts of a TLS server. */
export interface TlsCredentials {
  /** Who signs client certificates; null: none are asked for. */
  readonly authority: Buffer | null;
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** `reason`: one clause for people. */
export interface TlsCredentialsFailure {
  readonly path: string;
  readonly reason: string;
}

/**
 * Reads `server-cert.pem`, `server-key.pem` and, to verify clients, `ca-cert.pem`: the names GnuTLS's tools have made usual.
 */
export async function loadTlsCredentials(
  directory: string,
  verifyClients: boolean,
): Promise<Result<TlsCredentials, TlsCredentialsFailure>> {
  const authority = verifyClients ? await readPem(join(directory, 'ca-cert.pem')) : ok(null);
  // Without it every certificate would do that one of the world's public authorities has signed.
  if (!authority.ok) return authority;
  const certificate = await readPem(join(directory, 'server-cert.pem'));
  const key = await readPem(join(directory, 'server-key.pem'));
  if (!certificate.ok) return certificate;
  if (!key.ok) return key;
  const credentials = {
    authority: authority.value,
    certificate: certificate.value,
    key: key.value,
  };
  const problem = contextProblem(credentials);
  return problem === null ? ok(credentials) : failed({ path: directory, reason: problem });
}

async function readPem(path: string): Promise<Result<Buffer, TlsCredentialsFailure>> {
  try {
    return ok(await readFile(path));
  } catch (error) {
    return failed({ path, reason: `cannot be read: ${(error as Error).message}` });
  }
}

/** What OpenSSL says against the files, or null. */
function contextProblem(credentials: TlsCredentials): string | null {
  const { certificate, key, authority } = credentials;
  try {
    createSecureContext({ cert: certificate, key, ...(authority === null ? {} : { ca: authority }) });
    return null;
  } catch (error) {
    return `the certificates do not work: ${(error as Error).message}`;
  }
}
