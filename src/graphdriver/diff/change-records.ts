/**
 * Changes on their way from the worker that finds them: each a letter for its kind, its path, and a NUL, which no path
 * holds. A list of a million would else be cloned in one message, several times its size, while the event loop waits.
 * How long it may become is bounded where it is written.
 */
import { createListLimit, type TreeChange } from "../../layer/index.ts";
import type { SyncRingWriter } from "../../workers/index.ts";
import type { Change } from "../driver.ts";

const letterOf = { modified: "M", added: "A", deleted: "D" } as const;
const kindOf: Readonly<Record<number, Change["kind"]>> = { 0x4d: "modified", 0x41: "added", 0x44: "deleted" };

/** Records go on in pieces of about this much. */
const pieceBytes = 32 * 1024;

/**
 * Writes changes as they come; does not end the sink.
 * @throws RESOURCE_EXHAUSTED when they would make too long a list.
 */
export function writeChanges(changes: Iterable<TreeChange>, sink: Pick<SyncRingWriter, "write">): void {
  let piece = "";
  const assertFits = createListLimit();
  for (const { path, kind } of changes) {
    assertFits(path);
    piece += `${letterOf[kind]}/${path}\0`;
    if (piece.length < pieceBytes) continue;
    sink.write(Buffer.from(piece, "latin1"));
    piece = "";
  }
  sink.write(Buffer.from(piece, "latin1"));
}

/** Reads them to the end of the stream. */
export async function readChanges(source: AsyncIterable<Uint8Array>): Promise<Change[]> {
  const changes: Change[] = [];
  let rest: Buffer = Buffer.alloc(0);
  for await (const bytes of source) {
    rest = Buffer.concat([rest, bytes]);
    let at = 0;
    for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0, at)) {
      const kind = kindOf[rest[at] as number] as Change["kind"];
      // A copy: a part of the piece would keep all of it in memory.
      changes.push({ kind, path: Buffer.from(rest.subarray(at + 1, end)) });
      at = end + 1;
    }
    rest = rest.subarray(at);
  }
  return changes;
}
