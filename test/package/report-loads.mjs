/** `node --import` of this has every module that the program loads appended to the file LOADED_FILES, a URL a line. */
import { appendFileSync } from "node:fs";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

if (isMainThread) register(import.meta.url);

/** A hook, called on a thread of Node's own. */
export async function load(url, context, nextLoad) {
  appendFileSync(process.env.LOADED_FILES, `${url}\n`);
  return nextLoad(url, context);
}
