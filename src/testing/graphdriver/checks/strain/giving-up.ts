/** Calls whose callers give up in the middle: they end soon, and leave nothing. */
import { AssertionError, deepEqual, equal } from "node:assert";
import { readdirSync, truncateSync, writeFileSync } from "node:fs";
import { file } from "../../../archive/entry.ts";
import { buildArchive } from "../../../archive/build-archive.ts";
import { streamOf } from "../../../archive/stream.ts";
import type { GraphDriverCheck } from "../../check.ts";
import type { GraphDriverContext } from "../../context.ts";
import { applyEntries, makeContainer, makeEmptyLayer, makeLayer, readLayer, visitLayer } from "../../layers.ts";

const gibibyte = 2 ** 30;

export const givingUpChecks: readonly GraphDriverCheck[] = [
  {
    id: "giving-up/before",
    title: "a call that was given up before it begins does nothing",
    async run(context) {
      const { driver } = context;
      const id = context.newId();
      const call = { signal: AbortSignal.abort() };
      await refusedSoon(context, driver.create(id, {}, call), "CANCELLED", id);
      await refusedSoon(context, driver.createReadWrite(id, {}, call), "CANCELLED", id);
      equal(await driver.exists(id), false);
      await driver.create(id);
      await refusedSoon(context, driver.applyDiff(id, undefined, zeros(gibibyte), call), "CANCELLED", id);
      await refusedSoon(context, driver.changes(id, undefined, call), "CANCELLED", id);
      await refusedSoon(context, driver.diff(id, undefined, call), "CANCELLED", id);
      await refusedSoon(context, driver.get(id, {}, call), "CANCELLED", id);
      await refusedSoon(context, driver.remove(id, {}, call), "CANCELLED", id);
      equal(await driver.exists(id), true);
      deepEqual([...(await readLayer(context, id)).keys()], []);
    },
  },
  {
    id: "giving-up/apply",
    title: "an applyDiff that is given up in the middle of a gigabyte leaves the layer as it was created",
    async run(context) {
      const { driver } = context;
      const parent = await makeLayer(context, undefined, [file("below", "below")]);
      const id = await makeEmptyLayer(context, parent);
      const before = filesBelow(context.home);
      const caller = new AbortController();
      const sent = zeros(gibibyte, (bytes) => {
        if (bytes >= 2 ** 26) caller.abort();
      });
      await refusedSoon(
        context,
        driver.applyDiff(id, parent, sent, { signal: caller.signal }),
        "CANCELLED",
        id,
        caller,
      );
      // What is not undone yet holds up the next call, which sees the layer as it was.
      await applyEntries(context, id, parent, [file("after", "after")]);
      deepEqual([...(await readLayer(context, id)).keys()].toSorted(), ["after", "below"]);
      const left = filesBelow(context.home).filter((name) => /big/.test(name) && !before.includes(name));
      deepEqual(left, []);
    },
  },
  {
    id: "giving-up/diff",
    title: "the stream of a diff breaks off when its caller gives up, in the middle of a file",
    async run(context) {
      const { driver } = context;
      const id = await makeContainer(context, undefined);
      await visitLayer(context, id, (path) => {
        writeFileSync(`${path}/big`, "");
        truncateSync(`${path}/big`, 64 * gibibyte);
      });
      const caller = new AbortController();
      const stream = await driver.diff(id, undefined, { signal: caller.signal });
      const read = (async () => {
        let bytes = 0;
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          if (bytes > 2 ** 24) caller.abort();
        }
      })();
      await refusedSoon(context, read, "CANCELLED", "given up", caller);
    },
  },
  {
    id: "giving-up/waiting",
    title: "who waits for a layer gives up alone, and after its time",
    async run(context) {
      const { driver } = context;
      const id = await makeEmptyLayer(context);
      const archive = buildArchive([file("f", "content")]);
      let finish!: () => void;
      const held = new Promise<void>((resolve) => (finish = resolve));
      let begun!: () => void;
      const beginning = new Promise<void>((resolve) => (begun = resolve));
      const first = driver.applyDiff(
        id,
        undefined,
        (async function* () {
          yield archive.subarray(0, 512);
          begun();
          await held;
          yield archive.subarray(512);
        })(),
      );
      first.catch(() => {}); // where the check fails before it asks
      await beginning;
      try {
        const caller = new AbortController();
        const second = driver.applyDiff(id, undefined, streamOf(archive), { signal: caller.signal });
        setImmediate(() => caller.abort());
        await refusedSoon(context, second, "CANCELLED", id, caller);
        const third = driver.applyDiff(id, undefined, streamOf(archive), { timeoutMs: 400 });
        await refusedSoon(context, third, "DEADLINE_EXCEEDED", id);
      } finally {
        finish();
      }
      equal(await first, 7);
      deepEqual([...(await readLayer(context, id)).keys()], ["f"]);
    },
  },
];

/** The contract says 100 ms; a machine that is busy with others gets some more. */
const soonMs = 1_000;

async function refusedSoon(
  { refused }: GraphDriverContext,
  call: Promise<unknown>,
  code: "CANCELLED" | "DEADLINE_EXCEEDED",
  layer: string,
  caller?: AbortController,
): Promise<void> {
  let sinceMs = performance.now();
  caller?.signal.addEventListener("abort", () => (sinceMs = performance.now()), { once: true });
  await refused(call, code, layer);
  const tookMs = performance.now() - sinceMs;
  if (tookMs > soonMs) throw new AssertionError({ message: `${code} came after ${Math.round(tookMs)} ms` });
}

/** An archive of one big file, piece by piece; `onSent` hears how much of it was asked for. */
async function* zeros(sizeBytes: number, onSent?: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(2 ** 16);
  // The header of a file of this size, without its content.
  const header = Buffer.from(buildArchive([file("big", "")]).subarray(0, 512));
  header.write(sizeBytes.toString(8).padStart(11, "0"), 124, "latin1");
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  yield header;
  for (let sent = 0; sent < sizeBytes; sent += piece.length) {
    yield piece;
    onSent?.(sent);
  }
  yield Buffer.alloc(1024);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" });
}
