import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createDirectWriter } from "./direct-writer.ts";
import { createRing, LENT, LOAN, outletStates, type Ring } from "../ring/control.ts";

const folder = mkdtempSync(join(tmpdir(), "cleat-direct-"));
afterAll(() => rmSync(folder, { recursive: true }));

const content = Buffer.from(Array.from({ length: 5_000 }, (_, at) => at % 251));

/** What `use` has written to a descriptor that is lent; the file that it is given is open, and holds `content`. */
function written(flags: string, use: (writer: ReturnType<typeof createDirectWriter>, file: number) => void): Buffer {
  const [from, to] = [join(folder, "from"), join(folder, "to")];
  writeFileSync(from, content);
  writeFileSync(to, "");
  const ring: Ring = createRing(2048);
  const [file, descriptor] = [openSync(from, "r"), openSync(to, flags)];
  try {
    Atomics.store(ring.control, LENT, descriptor);
    Atomics.store(ring.control, LOAN, outletStates.lent);
    use(createDirectWriter(ring), file);
    return readFileSync(to);
  } finally {
    closeSync(file);
    closeSync(descriptor);
  }
}

const frameOf = (bytes: Buffer): string => `${bytes.length.toString(16)}\r\n${bytes.toString("latin1")}`;

it("sends a file in frames, between what is written, from where the file stands", () => {
  const bytes = written("r+", (writer, file) => {
    expect(writer.write(Buffer.from("head"))).toBe(4);
    expect([writer.writeFrom(file, 1_500), writer.writeFrom(file, 3_500)]).toEqual([1_500, 3_500]);
    expect(writer.write(Buffer.from("tail"))).toBe(4);
  });
  const parts = [
    [0, 1024],
    [1024, 1500],
    [1500, 2524],
    [2524, 3548],
    [3548, 4572],
    [4572, 5000],
  ] as const;
  const frames = [Buffer.from("head"), ...parts.map(([from, to]) => content.subarray(from, to)), Buffer.from("tail")];
  expect(bytes.toString("latin1")).toBe(frames.map(frameOf).join("\r\n"));
});

it("copies what is left of a frame where the file cannot be sent, and leaves the next to be copied", () => {
  // The kernel sends no file to one that is open for appending: EINVAL, sendfile(2).
  const bytes = written("a", (writer, file) => {
    expect([writer.writeFrom(file, 3_000), writer.writeFrom(file, 100)]).toEqual([1_024, 0]);
  });
  expect(bytes.toString("latin1")).toBe(frameOf(content.subarray(0, 1_024)));
});

it("fails where a file ends before what its frame promises, and sends nothing in its place", () => {
  const bytes = written("r+", (writer, file) => {
    truncateSync(join(folder, "from"), 700);
    expect(() => writer.writeFrom(file, 1_024)).toThrow("a file became shorter while it was read");
  });
  expect(bytes.toString("latin1")).toBe(`400\r\n${content.toString("latin1", 0, 700)}`);
});

it("takes nothing where nothing is lent", () => {
  const bytes = written("r+", (writer, file) => {
    writer.end();
    expect(writer.writeFrom(file, 100)).toBe(0);
  });
  expect(bytes).toHaveLength(0);
});
