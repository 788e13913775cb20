import type { LogEntry, ReadLogsOptions } from "./driver.ts";

type Entries = AsyncIterable<LogEntry> | Iterable<LogEntry>;

/** The longest line that is put together of its pieces; what is longer becomes several. */
const maxLineBytes = 1024 * 1024;

/**
 * Whole lines in place of their pieces, each with the time of its first piece. Pieces of one line are together, or
 * between those of the other stream. Of a plugin's entries Docker heeds the line, time and source only (moby v20.10.24
 * `daemon/logger/adapter.go`, `ReadLogs`): `--timestamps` would stand before each piece, and `--tail` count them.
 */
export async function* joinPartials(entries: Entries): AsyncGenerator<LogEntry> {
  const open = new Map<string, OpenLine>();
  for await (const entry of entries) {
    const { partial, source, timeNs, line } = entry;
    if (partial === undefined && !open.has(source)) {
      yield entry;
      continue;
    }
    const before = open.get(source);
    if (partial === undefined && before !== undefined && before.id !== "") {
      yield whole(before); // its last piece was lost; only engines that name no lines end one by a whole line
      open.delete(source);
      yield entry;
      continue;
    }
    const begun = before ?? { source, timeNs, id: partial?.id ?? "", pieces: [], sizeBytes: 0 };
    if (partial !== undefined && partial.id !== begun.id) {
      yield whole(begun); // the last piece of the line before was lost
      Object.assign(begun, { timeNs, id: partial.id, pieces: [], sizeBytes: 0 });
    }
    begun.pieces.push(line);
    begun.sizeBytes += line.byteLength;
    const isWhole = partial === undefined || partial.last || begun.sizeBytes >= maxLineBytes;
    if (isWhole) yield whole(begun);
    if (isWhole) open.delete(source);
    else open.set(source, begun);
  }
  for (const begun of open.values()) yield whole(begun);
}

interface OpenLine {
  readonly source: string;
  timeNs: bigint;
  id: string;
  pieces: Uint8Array[];
  sizeBytes: number;
}

function whole({ source, timeNs, pieces }: OpenLine): LogEntry {
  return { source, timeNs, line: Buffer.concat(pieces) };
}

/** Entries within the times. */
export async function* withinTimes(entries: Entries, { sinceNs, untilNs }: ReadLogsOptions): AsyncGenerator<LogEntry> {
  for await (const entry of entries) {
    if (sinceNs !== undefined && entry.timeNs < sinceNs) continue;
    if (untilNs !== undefined && entry.timeNs > untilNs) continue;
    yield entry;
  }
}

/**
 * Of what a driver has kept, what was asked for: the last `tail` lines of those within the times. Memory is that of
 * `tail` lines.
 */
export async function* selectEntries(entries: Entries, options: ReadLogsOptions): AsyncGenerator<LogEntry> {
  const lines = withinTimes(joinPartials(entries), options);
  if (options.tail === undefined) {
    yield* lines;
    return;
  }
  const last: LogEntry[] = [];
  if (options.tail === 0) return;
  for await (const line of lines) {
    last.push(line);
    if (last.length > options.tail * 2) last.splice(0, last.length - options.tail);
  }
  yield* last.slice(-options.tail);
}
