import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { CleatError } from "../../errors/index.ts";
import type { TlsClientOptions, TlsServerOptions } from "./tls.ts";

/**
 * What a client trusts and shows, checked here and now; `subject` begins the message of an error.
 * @throws INVALID_ARGUMENT naming `ca`, `cert` or `key`, whichever is of no use. Nothing of a key is in the message.
 */
export function createClientContext({ ca, cert, key }: TlsClientOptions, subject: string): SecureContext {
  if (ca !== undefined) assertCertificates(ca, `${subject}: ca`);
  if (cert !== undefined && key !== undefined) return createContext({ cert, key }, ca, subject);
  if (cert === undefined && key === undefined) return createSecureContext({ ca, ...oldestVersion });
  const [has, lacks] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
  throw new CleatError("INVALID_ARGUMENT", `${subject}: ${has} is given without ${lacks}`);
}

/**
 * As `createClientContext`, of what a server shows and trusts.
 * @throws INVALID_ARGUMENT naming `cert`, `key` or `clientCa`.
 */
export function assertServerOptions({ cert, key, clientCa }: TlsServerOptions, subject: string): void {
  if (clientCa !== undefined) assertCertificates(clientCa, `${subject}: clientCa`);
  createContext({ cert, key }, clientCa, subject);
}

/** Spelled out, because a switch of Node's own can lower its default. */
export const oldestVersion = { minVersion: "TLSv1.2" } as const;

function createContext(own: { cert: string; key: string }, ca: string | undefined, subject: string): SecureContext {
  assertCertificates(own.cert, `${subject}: cert`);
  orInvalid(`${subject}: key is not a private key in PEM without a passphrase`, () => createPrivateKey(own.key));
  return orInvalid(`${subject}: cert and key are of no use together`, () =>
    createSecureContext({ ...own, ca, ...oldestVersion }),
  );
}

/** Node takes what is not a certificate for no authority at all, and says nothing. */
function assertCertificates(pem: string, subject: string): void {
  const begun = pem.match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g)?.length ?? 0;
  if (begun === 0) throw new CleatError("INVALID_ARGUMENT", `${subject} holds no certificate in PEM`);
  const whole = pem.match(/-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \1-----/g) ?? [];
  if (whole.length < begun) throw new CleatError("INVALID_ARGUMENT", `${subject} holds half a certificate`);
  for (const [index, block] of whole.entries()) {
    orInvalid(`${subject}: certificate ${index + 1} of ${whole.length} is damaged`, () => new X509Certificate(block));
  }
}

function orInvalid<T>(message: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CleatError("INVALID_ARGUMENT", `${message}: ${reason}`, { cause: error });
  }
}
