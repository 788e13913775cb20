import fs, { fstatSync, ReadStream, type Stats, statSync } from "node:fs";
import type { LendingSource } from "../../protocol/kit.ts";

/**
 * A stream of `createReadStream`'s that nobody has read from yet, as a source whose descriptor is lent, if it is a
 * plain file's: threads read from it as it is. `undefined` for any other source.
 */
export function lendingFile(source: unknown): LendingSource | undefined {
  if (!(source instanceof ReadStream) || Object.getPrototypeOf(source) !== ReadStream.prototype) return undefined;
  const { start, end } = source as ReadStream & { readonly start?: number; readonly end?: number };
  if ((end ?? Number.POSITIVE_INFINITY) !== Number.POSITIVE_INFINITY || !readsByItself(source)) return undefined;
  let isTaken = false;

  const stream: ReadStream = source;

  async function isFile(): Promise<boolean> {
    if (!isUnread(stream)) return false;
    const descriptor = descriptorOf(stream) ?? (await openedDescriptor(stream));
    return descriptor !== undefined && isUnread(stream) && isPlain(() => fstatSync(descriptor));
  }

  return {
    [Symbol.asyncIterator]: () => source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>,
    isFile,
    async lend(use) {
      if (isTaken || !(await isFile())) return false;
      isTaken = true;
      const loan = {
        descriptor: descriptorOf(stream) as number,
        ahead: new Uint8Array(0),
        framing: { kind: "file", offset: start } as const,
        onBorrowed() {},
      };
      if ((await use(loan)) === undefined) return false;
      if (!stream.destroyed) stream.push(null); // all that there is was read, and whoever iterates finds the end
      return true;
    },
  };
}

function isUnread(stream: ReadStream): boolean {
  const { bytesRead, readableLength, readableFlowing, readableEncoding, destroyed } = stream;
  const isIdle = readableLength === 0 && readableFlowing === null && readableEncoding === null;
  return bytesRead === 0 && isIdle && !destroyed && stream.listenerCount("readable") === 0;
}

/** Node gives it a number once the file is open. */
function descriptorOf(stream: ReadStream): number | undefined {
  const { fd } = stream as ReadStream & { readonly fd?: number | null };
  return fd ?? undefined;
}

/** To open a pipe takes until somebody writes to it. What keeps a file from being opened, whoever iterates is told. */
async function openedDescriptor(stream: ReadStream): Promise<number | undefined> {
  const { path } = stream;
  if (path === undefined || !isPlain(() => statSync(path))) return undefined;
  await new Promise<void>((resolve) => {
    const settle = (): void => resolve();
    stream.once("open", settle).once("error", settle).once("close", settle);
  });
  return descriptorOf(stream);
}

/** What cannot be looked at is none: whoever iterates is told why. */
function isPlain(look: () => Stats): boolean {
  try {
    return look().isFile();
  } catch {
    return false;
  }
}

/** Not by functions of its maker's. Source: Node v20 and v24 `lib/internal/fs/streams.js`, `kFs`. */
function readsByItself(stream: ReadStream): boolean {
  const symbols = Object.getOwnPropertySymbols(stream);
  const valueOf = (name: string): unknown => {
    const symbol = symbols.find(({ description }) => description === name);
    return symbol && (stream as unknown as Record<symbol, unknown>)[symbol];
  };
  return valueOf("kFs") === fs || valueOf("kHandle") !== undefined;
}
