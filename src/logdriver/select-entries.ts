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
    const { source, partial } = entry;
    let line = open.get(source);
    if (line !== undefined && !belongsTo(line, entry)) {
      yield join(line); // its last piece was lost
      line = undefined;
      open.delete(source);
    }
    if (line === undefined && partial === undefined) {
      yield entry;
      continue;
    }
    line ??= { source, timeNs: entry.timeNs, id: partial?.id ?? "", pieces: [], sizeBytes: 0 };
    line.pieces.push(entry.line);
    line.sizeBytes += entry.line.byteLength;
    const isWhole = partial === undefined || partial.last || line.sizeBytes >= maxLineBytes;
    if (isWhole) {
      yield join(line);
      open.delete(source);
    } else open.set(source, line);
  }
  for (const line of open.values()) yield join(line);
}

/** A line of which the last piece has not come. */
interface OpenLine {
  readonly source: string;
  /** That of its first piece. */
  readonly timeNs: bigint;
  readonly id: string;
  readonly pieces: Uint8Array[];
  sizeBytes: number;
}

/** Only engines that give lines no id end one by an entry that is not partial. */
function belongsTo(line: OpenLine, { partial }: LogEntry): boolean {
  return partial === undefined ? line.id === "" : line.id === partial.id;
}

function join({ source, timeNs, pieces }: OpenLine): LogEntry {
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
