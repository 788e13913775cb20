/**
 * What scenarios take from `cleat/testing`. That loads every kit besides, which is a third of the time of the many
 * processes that are killed, or done, a moment later.
 */
export { buildArchive } from "../../../../dist/testing/archive/build-archive.js";
export {
  device,
  fifo,
  file,
  folder,
  hardLink,
  opaque,
  symlink,
  whiteout,
} from "../../../../dist/testing/archive/entry.js";
export { assertSameTree } from "../../../../dist/testing/tree/assert-same-tree.js";
export { expectedChanges } from "../../../../dist/testing/tree/expected-changes.js";
export { readTree } from "../../../../dist/testing/tree/read-tree.js";
