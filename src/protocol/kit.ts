/**
 * For rooms that carry bodies, and their threads: who reads and writes them, and how they are framed. Without the
 * schemas, which take long to load.
 */
export { type ChunkPlace, createChunkTracker, readChunkLine } from "./bodies/chunk-line.ts";
export type {
  BodyFraming,
  Borrow,
  Borrower,
  ChunkVisiting,
  DescriptorWriting,
  LendingSource,
  Loan,
  Returned,
  Sink,
  WholeContent,
} from "./bodies/loan.ts";
export { wholeOf } from "./bodies/loan.ts";
