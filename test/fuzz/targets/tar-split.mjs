/** An archive that is taken apart comes back byte for byte. */
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";

import { CleatError } from "#dist/errors/index.js";
import { createGzipSink, createSplittingTarReader, createTarAssembler, createTarSplitPacker } from "#dist/tar/index.js";
import { dictionary, repair, seeds } from "../tar-input.mjs";

export { dictionary, repair, seeds };
export const codes = ["INVALID_ARGUMENT", "DATA_LOSS"];

/** Of a sparse file only its data are content here. */
const maxFileBytes = 1 << 20;

export function run(input) {
  let at = 0;
  const read = () => (at < input.length ? input.subarray(at, (at += 700)) : undefined);
  const data = [];
  const gzip = createGzipSink({ write: (bytes) => void data.push(Buffer.from(bytes)) });
  const reader = createSplittingTarReader({ read }, createTarSplitPacker(gzip));
  const files = new Map();
  for (let header = reader.next(); header !== undefined; header = reader.next()) {
    const content = Buffer.alloc(Math.min(header.sizeBytes, maxFileBytes));
    for (let chunk = reader.read(); chunk !== undefined; chunk = reader.read())
      if (reader.chunkOffset < maxFileBytes)
        content.set(chunk.subarray(0, maxFileBytes - reader.chunkOffset), reader.chunkOffset);
    files.set(header.name.toString("latin1"), content);
  }
  gzip.finish();
  assert.ok(input.equals(together(gunzipSync(Buffer.concat(data)), files)), "the archive does not come back");
}

function together(lines, files) {
  const written = [];
  const open = (name) => {
    const content = files.get(name.toString("latin1"));
    if (content === undefined) throw new CleatError("INTERNAL", "a file is asked for that is not there");
    let isRead = content.length === 0;
    return { read: () => (isRead ? undefined : ((isRead = true), content)), close() {} };
  };
  const assembler = createTarAssembler({ open }, { write: (bytes) => void written.push(Buffer.from(bytes)) });
  assembler.write(lines);
  assembler.finish();
  return Buffer.concat(written);
}
