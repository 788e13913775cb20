import { posix } from "node:path";
import { CleatError, quoteBytes } from "../../errors/index.ts";
import type { ByteSink } from "../block/byte-source.ts";
import type { TarSplitEntry } from "./entry.ts";
import { formatTarSplitEntry } from "./format-entry.ts";

/** Writes tar-split data, entry by entry. */
export interface TarSplitPacker {
  /** @throws INVALID_ARGUMENT when a file's name came before. */
  add(entry: TarSplitEntry): void;
  /** Writes what is held back; the sink stays its owner's to end. */
  finish(): void;
}

/** Lines are short, and each write to a sink may be a system call. */
const heldCharacters = 64 * 1024;

/**
 * Remembers the names of all files, some hundred bytes of memory each, because an archive that names a file twice
 * cannot be put together again: the tree has the last content alone. Docker refuses such archives with the same words,
 * and names are the same to both if `filepath.Clean` makes them so. Source: vbatts/tar-split v0.11.2
 * `tar/storage/packer.go`.
 */
export function createTarSplitPacker(sink: ByteSink): TarSplitPacker {
  const remember = createMemory();
  let position = 0;
  let held = "";

  function flush(): void {
    if (held !== "") sink.write(Buffer.from(held));
    held = "";
  }

  return {
    add(entry) {
      if (entry.kind === "file") remember(entry.name);
      held += formatTarSplitEntry(entry, position++);
      if (held.length >= heldCharacters) flush();
    },
    finish: flush,
  };
}

/** What all names may take in memory: a quarter of a worker's heap. Two million of 64 bytes do. */
const maxMemoryBytes = 256 * 2 ** 20;
/** What V8 takes for a text, and for its place in a set. */
const perNameBytes = 64;

function createMemory(): (name: Buffer) => void {
  const seen = new Set<string>();
  let bytes = 0;
  return (name) => {
    const clean = cleanName(name.toString("latin1"));
    if (seen.has(clean)) {
      throw new CleatError("INVALID_ARGUMENT", `entry ${quoteBytes(name)}: duplicates of file paths not supported`);
    }
    bytes += clean.length + perNameBytes;
    if (bytes > maxMemoryBytes) {
      throw new CleatError("INVALID_ARGUMENT", `names of its files take more than ${maxMemoryBytes} bytes together`);
    }
    seen.add(clean);
  };
}

function cleanName(name: string): string {
  const clean = posix.normalize(name);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}
