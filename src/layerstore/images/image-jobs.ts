/** What blocks of looking into a data root, as one module that workers import. */
export { findUser } from "../who-uses.ts";
export { sendArchive } from "./send-archive.ts";
export { shareFiles } from "./share-files.ts";

export const moduleUrl = import.meta.url;
