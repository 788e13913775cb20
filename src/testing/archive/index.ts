/** Making archives, honest ones and others. */
export { buildArchive, encodeEntry, joinArchive } from "./build-archive.ts";
export { padToBlock, paxHeader, rawHeader } from "./raw-block.ts";
export { readArchive } from "./read-archive.ts";
export { failingStreamOf } from "./stream.ts";
