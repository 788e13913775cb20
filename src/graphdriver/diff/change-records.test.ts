import * as fc from "fast-check";
import { expect, it } from "vitest";

import { maxListBytes, type TreeChange } from "../../layer/index.ts";
import { readChanges, writeChanges } from "./change-records.ts";

const paths = fc.uint8Array({ min: 1, minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const kinds = fc.constantFrom<TreeChange["kind"]>("modified", "added", "deleted");

it("changes arrive as they were sent, however the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(kinds, paths), { maxLength: 400 }),
      fc.integer({ min: 1, max: 5000 }),
      async (changes, pieceBytes) => {
        const written: Uint8Array[] = [];
        const write = (bytes: Uint8Array): void => void written.push(bytes);
        writeChanges(
          changes.map(([kind, path]) => ({ kind, path: path.toString("latin1") })),
          { write },
        );
        const bytes = Buffer.concat(written);
        const expected = changes.map(([kind, path]) => ({ kind, path: Buffer.concat([Buffer.from("/"), path]) }));
        expect(await readChanges(cut(bytes, pieceBytes))).toEqual(expected);
      },
    ),
  );
});

async function* cut(bytes: Buffer, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

it("changes that would make too long a list are refused before they are one", () => {
  let writtenBytes = 0;
  const write = (bytes: Uint8Array): void => void (writtenBytes += bytes.length);
  function* many(): Generator<TreeChange> {
    const folder = "n".repeat(4000);
    for (let at = 0; at < 200_000; at++) yield { path: `${folder}/${at}`, kind: "added" };
  }
  expect(() => writeChanges(many(), { write })).toThrow(expect.objectContaining({ code: "RESOURCE_EXHAUSTED" }));
  expect(writtenBytes).toBeLessThanOrEqual(maxListBytes);
});

it("changes with short names are as many as fit, too", () => {
  function* many(): Generator<TreeChange> {
    for (let at = 0; ; at++) yield { path: "a", kind: "added" };
  }
  expect(() => writeChanges(many(), { write() {} })).toThrow(`${maxListBytes} bytes`);
});
