import { brotliCompressSync, deflateRawSync, gzipSync } from "node:zlib";
import { expect, it } from "vitest";

import { createTarReader } from "../reading/tar-reader.ts";
import { createSplittingTarReader } from "../tar-split/splitting-reader.ts";
import { craftArchive, craftBlock } from "../reading/crafted.test.support.ts";

const archive = craftArchive(craftBlock({ name: "n" }));
const begins = (hex: string): Buffer => Buffer.concat([Buffer.from(hex, "hex"), deflateRawSync(archive), archive]);

const packer = { segment() {}, file() {}, finish() {} } as unknown as Parameters<typeof createSplittingTarReader>[1];

function failureOf(bytes: Buffer, create: typeof createTarReader): unknown {
  const pieces = [bytes];
  try {
    create({ read: () => pieces.pop() }).next();
  } catch (error) {
    return error;
  }
  return undefined;
}

it.each([
  ["gzip", gzipSync(archive)],
  ["gzip", gzipSync(Buffer.alloc(100_000, "not even all alike").map((byte, at) => byte ^ at))],
  ["zstd", begins("28b52ffd")],
  ["zstd", begins("502a4d1804000000")],
  ["bzip2", begins("425a6839314159265359")],
  ["bzip2", Buffer.from("425a683917724538509000000000", "hex")],
  ["xz", begins("fd377a585a00")],
  ["lz4", begins("04224d18")],
  ["zip", begins("504b0304")],
])("an archive that is %s is called that, however short", (name, bytes) => {
  const splitting: typeof createTarReader = (source) => createSplittingTarReader(source, packer);
  for (const create of [createTarReader, splitting]) {
    const failure = failureOf(bytes, create);
    expect(failure).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: `this is ${name}; give the uncompressed archive`,
    });
  }
});

it("what begins like nothing in particular is not a tar header", () => {
  const failure = failureOf(Buffer.concat([brotliCompressSync(archive), Buffer.alloc(512, 1)]), createTarReader);
  expect(failure).toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(String(failure)).toContain("is not a tar header");
});

it("a file that is named as compressed data begins is an archive's first", () => {
  const pieces = [craftArchive(craftBlock({ name: "BZh91AY&SY" }))];
  expect(
    createTarReader({ read: () => pieces.pop() })
      .next()
      ?.name.toString(),
  ).toBe("BZh91AY&SY");
});
