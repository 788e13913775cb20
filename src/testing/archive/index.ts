/** Making archives, honest ones and others. */
export { buildArchive, encodeEntry, joinArchive } from "./build-archive.ts";
export { padToBlock, paxHeader, rawHeader } from "./raw-block.ts";
export { readArchive, type ReadEntry } from "./read-archive.ts";
export { failingStreamOf, readAll, streamOf } from "./stream.ts";
