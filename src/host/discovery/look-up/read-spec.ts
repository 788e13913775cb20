import { CleatError } from "../../../errors/index.ts";
import { type Address, parseSpec, type TlsClientOptions } from "../../../transport/index.ts";
import type { Candidate } from "./candidates.ts";
import { assertDialable } from "./dialable.ts";
import { readBoundedFile } from "./read-bounded-file.ts";
import { readTlsFiles } from "./read-tls-files.ts";

/** An address and the paths of three files take less than 13 KiB. */
const maxSpecBytes = 64 * 1024;

/**
 * Reads a spec file and the files that it names.
 * @throws INVALID_ARGUMENT when it is not one, empty, half written or too long, or a file that it names is of no use.
 * @throws PERMISSION_DENIED when such a file may not be read.
 * @throws a system error when it cannot be read itself.
 */
export async function readSpec(
  format: Exclude<Candidate["kind"], "socket">,
  path: string,
): Promise<{ readonly address: Address; readonly tls: TlsClientOptions | undefined }> {
  const subject = `spec file "${path}"`;
  const content = await readBoundedFile(path, maxSpecBytes, subject);
  if (content.byteLength === 0) {
    throw new CleatError("INVALID_ARGUMENT", `${subject} is empty; it may be half written`);
  }
  const { address, tls } = parseSpec(format, content, subject);
  assertDialable(address, subject);
  return { address, tls: tls && (await readTlsFiles(tls, subject)) };
}
