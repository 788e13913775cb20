import { isAbsolute } from "node:path";
import { CleatError, isSystemError, toCleatError } from "../../../errors/index.ts";
import type { TlsClientOptions, TlsFiles } from "../../../transport/index.ts";
import { readBoundedFile } from "./read-bounded-file.ts";

/** A system's whole bundle of authorities has about 220 KiB. Source: Debian 12, ca-certificates 20230311. */
const maxPemBytes = 1024 * 1024;

/**
 * Reads the files that a spec names; `subject` begins the message of an error.
 * @throws INVALID_ARGUMENT when one is not there or no PEM, its path is relative, or there is a certificate without its
 * key.
 * @throws PERMISSION_DENIED when one may not be read.
 */
export async function readTlsFiles(files: TlsFiles, subject: string): Promise<TlsClientOptions> {
  const { caFile, certFile, keyFile, serverName, insecureSkipVerify } = files;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [has, lacks] = certFile === undefined ? ["KeyFile", "CertFile"] : ["CertFile", "KeyFile"];
    throw new CleatError("INVALID_ARGUMENT", `${subject} has a ${has}, but no ${lacks}`);
  }
  const [ca, cert, key] = await Promise.all([
    readPem(caFile, `${subject}: CAFile`),
    readPem(certFile, `${subject}: CertFile`),
    readPem(keyFile, `${subject}: KeyFile`),
  ]);
  return { ca, cert, key, serverName, insecureSkipVerify };
}

async function readPem(path: string | undefined, field: string): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const subject = `${field} ${JSON.stringify(path)}`;
  if (!isAbsolute(path) || path.includes("\0")) {
    throw new CleatError("INVALID_ARGUMENT", `${subject} is not an absolute path`);
  }
  try {
    const text = (await readBoundedFile(path, maxPemBytes, subject)).toString();
    if (!text.includes("-----BEGIN ")) throw new CleatError("INVALID_ARGUMENT", `${subject} is not a PEM file`);
    return text;
  } catch (error) {
    // NOT_FOUND would say that there is no such plugin.
    if (isSystemError(error, "ENOENT", "ENOTDIR")) {
      throw new CleatError("INVALID_ARGUMENT", `${subject} is not there`, { cause: error });
    }
    throw toCleatError(error, subject);
  }
}
