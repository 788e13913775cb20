import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { createGatheredSink, type GatheredSink } from "./gathered-sink.ts";

const folder = mkdtempSync(join(tmpdir(), "cleat-gathered-"));
afterAll(() => rmSync(folder, { recursive: true }));

const content = Buffer.from(Uint8Array.from({ length: 600_000 }, (_, at) => at % 251));
writeFileSync(join(folder, "file"), content);

/** Headers, the ends of blocks, and the content of files, of any size. */
const steps = fc.array(
  fc.record({ kind: fc.constantFrom("write", "zeros", "file"), sizeBytes: fc.integer({ min: 0, max: 600_000 }) }),
  { maxLength: 12 },
);

type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** What a sink is to get of these steps. */
function writeSteps(sink: GatheredSink, given: Steps): Buffer {
  const parts: Buffer[] = [];
  for (const { kind, sizeBytes } of given) {
    if (kind === "write") {
      sink.write(content.subarray(0, sizeBytes));
      parts.push(content.subarray(0, sizeBytes));
    } else if (kind === "zeros") {
      sink.writeZeros(sizeBytes % 512);
      parts.push(Buffer.alloc(sizeBytes % 512));
    } else {
      const descriptor = openSync(join(folder, "file"), "r");
      expect(sink.writeFrom(descriptor, sizeBytes)).toBe(sizeBytes);
      closeSync(descriptor);
      parts.push(content.subarray(0, sizeBytes));
    }
  }
  sink.end();
  return Buffer.concat(parts);
}

it("hands on all of it in order, be it made in the sink's own memory or beside it", () => {
  const claims = fc.array(fc.option(fc.integer({ min: 16 * 1024, max: 256 * 1024 })), { minLength: 1 });
  fc.assert(
    fc.property(steps, claims, (given, sizes) => {
      const got: Buffer[] = [];
      let memory = Buffer.alloc(0);
      let turn = 0;
      const sink = createGatheredSink({
        write: (bytes) => void got.push(Buffer.from(bytes)),
        claim() {
          const sizeBytes = sizes[turn++ % sizes.length] ?? undefined;
          return sizeBytes === undefined ? undefined : (memory = Buffer.alloc(sizeBytes, 0xff));
        },
        commit: (count) => void got.push(Buffer.from(memory.subarray(0, count))),
      });
      const wanted = writeSteps(sink, given);
      expect(Buffer.concat(got).equals(wanted)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

it("says how many bytes a file had that is shorter than it was", () => {
  const sink = createGatheredSink({ write() {} });
  const descriptor = openSync(join(folder, "file"), "r");
  expect(sink.writeFrom(descriptor, content.length + 1)).toBe(content.length);
  closeSync(descriptor);
});

it("has memory of its own while another archive of the thread is written", () => {
  const [first, second]: [Buffer[], Buffer[]] = [[], []];
  const sinkOf = (parts: Buffer[]) => createGatheredSink({ write: (bytes) => void parts.push(Buffer.from(bytes)) });
  const earlier = sinkOf([]);
  earlier.write(Buffer.from("earlier"));
  earlier.end(); // leaves its memory to the next
  const [one, other] = [sinkOf(first), sinkOf(second)];
  one.write(Buffer.from("one"));
  other.write(Buffer.from("other"));
  one.end();
  other.end();
  expect([first, second].map((parts) => String(Buffer.concat(parts)))).toEqual(["one", "other"]);
});
