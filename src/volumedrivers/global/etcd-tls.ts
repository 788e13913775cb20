import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { CleatError, isSystemError, quoteText, toCleatError } from "../../errors/index.ts";

/**
 * Paths of files in PEM: whom a client of etcd trusts, in place of the authorities that Node knows, and as whom it
 * comes. They are read again for each request, as they are renewed.
 */
export interface EtcdTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** As Node takes them. */
export type TlsFiles = Pick<SecureContextOptions, "ca" | "cert" | "key">;

/** @throws INVALID_ARGUMENT, naming the option, for a file that is not there, or where one is no PEM. */
export function readTlsFiles({ ca, cert, key }: EtcdTls): TlsFiles {
  const files = {
    ...(ca !== undefined && { ca: readPem("tls.ca", ca) }),
    ...(cert !== undefined && { cert: readPem("tls.cert", cert) }),
    ...(key !== undefined && { key: readPem("tls.key", key) }),
  };
  try {
    createSecureContext(files);
  } catch (error) {
    const { message } = toCleatError(error);
    throw new CleatError("INVALID_ARGUMENT", `etcd: the files of tls are of no use: ${message}`, { cause: error });
  }
  return files;
}

function readPem(option: string, path: string): Buffer {
  const subject = `etcd: ${option} ${quoteText(path)}`;
  try {
    return readFileSync(path);
  } catch (error) {
    // NOT_FOUND would say that there is no such volume.
    if (!isSystemError(error, "ENOENT", "ENOTDIR")) throw toCleatError(error, subject);
    throw new CleatError("INVALID_ARGUMENT", `${subject} is not there`, { cause: error });
  }
}
