/** What threads need of the wire, without the schemas, which take long to load: how bodies are framed. */
export { type ChunkPlace, createChunkTracker, readChunkLine } from "./chunk-line.ts";
