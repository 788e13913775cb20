import { lstat, open, rm } from "node:fs/promises";
import { CleatError, isSystemError, toCleatError, withSubject } from "../../errors/index.ts";
import type { Exchange } from "./exchange.ts";
import { type Fixture, type FixtureHeader, formatExchange, formatFixtureHeader, parseFixture } from "./fixture.ts";

/** A fixture of more is not one that a test should read. */
const maxFileBytes = 64 * 1024 * 1024;

export interface FixtureFile {
  /** Adds a line; lines stand in the order of the calls of `append`. Rejects when the disk does not take it. */
  append(exchange: Exchange): Promise<void>;
  /** Waits until every line is written. May be called twice. */
  close(): Promise<void>;
}

export interface CreateFixtureFileOptions {
  /** Removes a file that is there. */
  readonly replace?: boolean | undefined;
}

/**
 * Makes a fixture and writes it line by line, so that what was recorded is readable whenever its writer ends. Only the
 * owner may read it (mode 0600): bodies hold passwords.
 * @throws ALREADY_EXISTS when there is a file at `path` and `replace` is not set, FAILED_PRECONDITION when there is
 * something else, which is never replaced: root must not put a file in the place of `/dev/null`.
 */
export async function createFixtureFile(
  path: string,
  header: FixtureHeader,
  { replace = false }: CreateFixtureFileOptions = {},
): Promise<FixtureFile> {
  if (replace) await removeFile(path);
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    if (!isSystemError(error, "EEXIST")) throw withSubject(error, `fixture "${path}"`);
    throw new CleatError("ALREADY_EXISTS", `fixture "${path}" is there already, and was left alone`);
  });
  let written = file.appendFile(formatFixtureHeader(header));
  let closing: Promise<void> | undefined;
  const append = (exchange: Exchange) => {
    const line = formatExchange(exchange);
    const writing = written.then(() => file.appendFile(line));
    written = writing;
    return writing;
  };
  await written;
  return {
    append,
    close: () => (closing ??= written.catch(() => {}).then(() => file.close())),
  };
}

async function removeFile(path: string): Promise<void> {
  const subject = `fixture "${path}"`;
  try {
    const found = await lstat(path);
    if (found.isFile() || found.isSymbolicLink()) return await rm(path, { force: true });
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return;
    throw toCleatError(error, subject);
  }
  throw new CleatError("FAILED_PRECONDITION", `${subject} is not a file, and was left alone`);
}

/**
 * Reads a fixture.
 * @throws INVALID_ARGUMENT when it is none, RESOURCE_EXHAUSTED when it is over 64 MiB.
 */
export async function readFixtureFile(path: string): Promise<Fixture> {
  const subject = `fixture "${path}"`;
  await using file = await open(path).catch((error: unknown) => {
    throw withSubject(error, subject);
  });
  const found = await file.stat();
  if (!found.isFile()) throw new CleatError("INVALID_ARGUMENT", `${subject} is not a file`);
  if (found.size > maxFileBytes) throw new CleatError("RESOURCE_EXHAUSTED", `${subject} is over ${maxFileBytes} bytes`);
  return parseFixture(await file.readFile("utf8"), subject);
}
