import { constants, type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { allocateBehind, dropCached, type OfferedWrite, offerWrite, writeInPlace } from "../../syscall/index.ts";
import { makeFolders, syncFolder } from "../../files/index.ts";
import { openPrefilled } from "./prefilled-file.ts";

/**
 * What a journal needs of a disk. Every step is one system call, or a few whose order does not matter, so that a test
 * may stop the world between any two.
 */
export interface JournalFiles {
  /**
   * `undefined` where there is none. @throws FAILED_PRECONDITION for what is no plain file: a link, a pipe, a folder.
   */
  read(name: string): Promise<Buffer | undefined>;
  /** Opens a file to append to behind `lengthBytes`, made if it is not there; what else stands there is cut off. */
  open(name: string, lengthBytes: number): Promise<JournalFile>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Makes names survive power loss. */
  syncFolder(): Promise<void>;
  /** Gives back what this process holds of it. May be called twice. */
  close(): Promise<void>;
}

export interface JournalFile {
  append(bytes: Uint8Array): Promise<void>;
  /** The same, and what was appended survives power loss when it resolves. */
  appendDurably(bytes: Uint8Array): Promise<void>;
  /** The same, for another thread to do; who offers it says `wasAppended` where that has happened. */
  offer?(bytes: Uint8Array): OfferedWrite;
  wasAppended?(lengthBytes: number): void;
  /** One that is so long already is not touched, and keeps the room that is set aside for it. */
  truncate(lengthBytes: number): Promise<void>;
  /**
   * Sets room of the disk aside for what is appended up to `lengthBytes`; a longer file stays as it is.
   * @throws ENOSPC, and another error where the file system does not do that.
   */
  allocate(lengthBytes: number): Promise<void>;
  /** Makes content survive power loss. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface JournalFilesOptions {
  /**
   * Whether what is appended overwrites zeros, so that its flush brings no names of other files along, and waits for
   * none (`prefilled-file.ts`). Default false.
   */
  readonly prefilled?: boolean;
}

/**
 * Files of mode 0600 in a folder of mode 0700, which is made. Every call waits in Node's thread pool, not here.
 *
 * The folder is held open, and all is done in it wherever it has gone: when it is moved, or mounted over, another may
 * stand at its path, whose journal is somebody else's.
 */
export async function openJournalFiles(
  folder: string,
  { prefilled = false }: JournalFilesOptions = {},
): Promise<JournalFiles> {
  const first = await makeFolders(folder, 0o700);
  if (first !== undefined) {
    for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
  }
  const { O_RDONLY, O_DIRECTORY } = constants;
  const held = await open(folder, O_RDONLY | O_DIRECTORY);
  const pathOf = (name: string) => `/proc/self/fd/${held.fd}/${name}`;
  const inWords = (error: unknown): never => {
    if (error instanceof Error) error.message = error.message.replaceAll(pathOf(""), `${folder}/`);
    throw error;
  };
  return {
    read: (name) => readPlainFile(pathOf(name), `${folder}/${name}`).catch(inWords),
    async open(name, lengthBytes) {
      const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW, O_DSYNC } = constants;
      if (prefilled) return openPrefilled(pathOf(name), O_CREAT | O_NOFOLLOW, lengthBytes).catch(inWords);
      const flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW;
      const file = await open(pathOf(name), flags, 0o600).catch(inWords);
      let durable: FileHandle;
      try {
        await cut(file, lengthBytes);
        if (lengthBytes === 0) writeInPlace(file.fd);
        // Writes and flushes in one call: a second visit to Node's thread pool takes longer than either on a busy
        // machine.
        durable = await open(pathOf(name), flags | O_DSYNC);
      } catch (error) {
        await file.close();
        throw error;
      }
      return {
        append: (bytes) => writeAll(file, bytes),
        appendDurably: (bytes) => writeAll(durable, bytes),
        offer: (bytes) => offerWrite(durable.fd, null, bytes),
        truncate: (length) => cut(file, length),
        allocate: (length) => allocateBehind(file.fd, 0, length),
        sync: () => file.datasync(),
        close: async () => void (await Promise.all([file.close(), durable.close()])),
      };
    },
    rename: (from, to) => rename(pathOf(from), pathOf(to)).catch(inWords),
    remove: (name) => rm(pathOf(name), { force: true }).catch(inWords),
    syncFolder: () => held.sync(),
    close: () => held.close(),
  };
}

/** To cut a file, if only to the length that it has, takes room on a full btrfs, and gives back what was set aside. */
async function cut(file: FileHandle, lengthBytes: number): Promise<void> {
  const { size } = await file.stat();
  if (size !== lengthBytes) await file.truncate(lengthBytes);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
}

/**
 * Waits for no writer of a pipe, and follows no link: what stands there may never end. What is read is on the disk: the
 * kernel keeps pages that it could not write, and shows them as if it had, until it needs their memory.
 */
async function readPlainFile(path: string, shown: string): Promise<Buffer | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    await using file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!(await file.stat()).isFile()) throw notPlain(shown);
    await file.sync().catch(() => {}); // of what it fails to write nothing is kept below
    dropCached(file.fd);
    return await file.readFile();
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    if (isSystemError(error, "ELOOP")) throw notPlain(shown);
    throw error;
  }
}

function notPlain(path: string): CleatError {
  return new CleatError("FAILED_PRECONDITION", `"${path}" is no plain file; no journal is read from it`);
}
