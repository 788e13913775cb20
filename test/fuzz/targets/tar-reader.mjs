/** The reader of archives: what it takes it takes alike, however the bytes are cut; chunks lie within their file. */
import assert from "node:assert/strict";

import { createTarReader } from "#dist/tar/index.js";
import { dictionary, repair, seeds } from "../tar-input.mjs";

export { dictionary, repair, seeds };
export const codes = ["INVALID_ARGUMENT", "DATA_LOSS"];

export function run(input) {
  assert.deepEqual(outcome(input, 1 << 20), outcome(input, 700));
}

function outcome(input, chunkBytes) {
  let at = 0;
  const read = () => (at < input.length ? input.subarray(at, (at += chunkBytes)) : undefined);
  const reader = createTarReader({ read });
  const told = [];
  try {
    for (let header = reader.next(); header !== undefined; header = reader.next()) {
      let bytes = 0;
      for (let chunk = reader.read(); chunk !== undefined; chunk = reader.read()) {
        bytes += chunk.length;
        assert.ok(
          chunk.length > 0 && reader.chunkOffset + chunk.length <= header.sizeBytes,
          "chunk is outside its file",
        );
      }
      told.push([header.name.toString("latin1"), header.type, header.sizeBytes, bytes]);
    }
  } catch (error) {
    told.push(error.code, error.message);
    if (!codes.includes(error.code)) throw error;
  }
  return told;
}
