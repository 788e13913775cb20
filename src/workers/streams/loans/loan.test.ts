import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import * as fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { createChunkTracker } from "../../../protocol/kit.ts";
import type { BodyFraming, Returned } from "../../../protocol/kit.ts";
import { lendTo } from "./loan.ts";
import { createSyncRingReader } from "../blocking-ends.ts";
import { createAsyncRingWriter } from "../ring/async-ends.ts";
import { createRing } from "../ring/control.ts";

const folder = mkdtempSync(join(tmpdir(), "cleat-loan-"));
afterAll(() => rmSync(folder, { recursive: true }));

const follower = "POST /the-next-call";

function frame(body: Buffer, sizes: readonly number[]): Buffer {
  const chunks: string[] = [];
  for (let at = 0, index = 0; at < body.length; index++) {
    const content = body.toString("latin1", at, at + (sizes[index % sizes.length] as number));
    chunks.push(`${content.length.toString(16)}\r\n${content}\r\n`);
    at += content.length;
  }
  return Buffer.from(`${chunks.join("")}0\r\n\r\n${follower}`, "latin1");
}

/** The content of a chunked body, and what follows it. */
function unframe(bytes: Buffer): { readonly content: string; readonly after: string } {
  const text = bytes.toString("latin1");
  let content = "";
  for (let at = 0; ;) {
    const [line, digits] = /^([0-9a-f]+)\r\n/.exec(text.slice(at, at + 20)) ?? [];
    if (line === undefined || digits === undefined) throw new Error(`no chunk at ${at}: ${text.slice(at, at + 20)}`);
    const size = Number.parseInt(digits, 16);
    const end = at + line.length + size;
    if (text.slice(end, end + 2) !== "\r\n") throw new Error(`chunk at ${at} does not end at ${end}`);
    if (size === 0) return { content, after: text.slice(end + 2) };
    content += text.slice(at + line.length, end);
    at = end + 2;
  }
}

/**
 * Lends what follows `come` of a stream to a reader that reads so much, all on this thread: what comes is all there.
 */
async function borrow(stream: Buffer, come: number, framing: BodyFraming, wanted: number) {
  const path = join(folder, "stream");
  writeFileSync(path, stream);
  const descriptor = openSync(path, "r");
  try {
    readSync(descriptor, Buffer.alloc(come), 0, come, null);
    const ring = createRing(4096);
    let finish: (isIntact: boolean) => void = () => {};
    const over = new Promise<boolean>((resolve) => (finish = resolve));
    const loan = { descriptor, ahead: new Uint8Array(0), framing, onBorrowed() {} };
    const writer = createAsyncRingWriter(ring);
    const returned = lendTo(ring, writer, loan, over, () => {});
    await nextTurn();
    writer.finish(); // nothing comes after what was lent
    const reader = createSyncRingReader(ring);
    let read = "";
    while (read.length < wanted) {
      const bytes = reader.read();
      if (bytes === undefined) break;
      read += Buffer.from(bytes).toString("latin1");
    }
    reader.leave();
    finish(true);
    const back = (await returned) as Returned;
    const rest = readFileSync(descriptor); // from where the reader stopped
    return { read, back, rest };
  } finally {
    closeSync(descriptor);
  }
}

const pattern = (sizeBytes: number) => Buffer.from(Array.from({ length: sizeBytes }, (_, at) => 97 + (at % 26)));
const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 4 });

it("a parser told what it missed stands where the next call begins, wherever the reading began and ended", async () => {
  let lent = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 12_000 }),
      sizes,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: -4, max: 4 }),
      fc.integer({ min: 1, max: 20_000 }),
      async (size, chunks, where, beside, wanted) => {
        const body = pattern(size);
        const stream = frame(body, chunks);
        // Near the end of a chunk there is most to be wrong about.
        const somewhere = Math.floor(where * (stream.length - follower.length));
        const come = Math.max(0, stream.lastIndexOf("\r\n", somewhere) + beside);
        const tracker = createChunkTracker();
        tracker.push(stream.subarray(0, come));
        const place = tracker.place();
        if (place === undefined) return;
        lent++;
        const { read, back, rest } = await borrow(stream, come, { kind: "chunked", place }, wanted);
        const missed = Buffer.alloc(back.missedBytes, "x");
        const told = Buffer.concat([missed, Buffer.from(back.filler, "latin1"), back.next, rest]);
        const { content, after } = unframe(Buffer.concat([stream.subarray(0, come), told]));
        expect(after).toBe(follower);
        const before = come === 0 ? 0 : unframedBytes(stream.subarray(0, come));
        expect(read).toBe(body.toString("latin1", before, before + read.length));
        expect(read.length >= Math.min(wanted, size - before)).toBe(true);
        if (wanted >= size) expect(content.slice(0, before)).toBe(body.toString("latin1", 0, before));
      },
    ),
    { numRuns: 500 },
  );
  expect(lent).toBeGreaterThan(200);
});

/** How much content has come with these bytes. */
function unframedBytes(bytes: Buffer): number {
  const text = bytes.toString("latin1");
  let count = 0;
  for (let at = 0; at < text.length;) {
    const line = /^(?:\r\n)?([0-9a-f]+)\r\n/.exec(text.slice(at, at + 22));
    if (line === null) return count;
    const size = Number.parseInt(line[1] as string, 16);
    const start = at + line[0].length;
    count += Math.min(size, text.length - start);
    at = start + size;
  }
  return count;
}

it("of a body that says its length all that was read is missed, and no more is read", async () => {
  const stream = Buffer.concat([pattern(10_000), Buffer.from(follower)]);
  for (const wanted of [1, 5000, 20_000]) {
    const { read, back, rest } = await borrow(stream, 1000, { kind: "sized", leftBytes: 9000 }, wanted);
    expect(read).toBe(stream.toString("latin1", 1000, 1000 + read.length));
    expect(back).toMatchObject({ filler: "", isLost: false });
    expect(1000 + back.missedBytes + rest.length).toBe(stream.length);
    if (wanted > 9000) expect(rest.toString()).toBe(follower);
  }
});

it("what no job has touched comes back as it was", async () => {
  const ring = createRing();
  const descriptor = openSync("/dev/null", "r");
  const loan = {
    descriptor,
    ahead: Buffer.from("ahead"),
    framing: { kind: "sized", leftBytes: 9 },
    onBorrowed() {},
  } as const;
  const back = await lendTo(ring, createAsyncRingWriter(ring), loan, Promise.resolve(true), () => {});
  closeSync(descriptor);
  expect(back).toMatchObject({ missedBytes: 0, filler: "", isLost: false });
  expect(Buffer.from(createSyncRingReader(ring).read()!).toString()).toBe("ahead");
});
