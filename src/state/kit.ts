/** What `openStore` stands on, for rooms whose state has a shape of its own. */
export { lockFolder } from "./folder-lock.ts";
export { type ChangeQueue, type ChangeTarget, createChangeQueue } from "./journal/change-queue.ts";
export {
  type HighWaterMark,
  openHighWaterMark,
  readHighWaterMark,
  type WarnOfMark,
} from "./journal/high-water-mark.ts";
export { type JournalFile, type JournalFiles, openJournalFiles } from "./journal/journal-files.ts";
export { openJournal, type OpenedJournal } from "./journal/journal.ts";
export { parseVersioned } from "./journal/parse-versioned.ts";
export type { JournalFormat } from "./journal/read-journal.ts";
