/**
 * Loaded into a plugin's process by `node --import`, it kills that process at a point of a call: a file that holds
 * `{"path": "/GraphDriver.Put", "when": "before"}` beside this process's `KILL_AT` says which, and is taken away first,
 * so that the next process lives. `before` is when the call has come and nothing is done; `after` when all is done and
 * nothing is answered.
 */
import { readFileSync, unlinkSync } from "node:fs";
import { Server, ServerResponse } from "node:http";

const order = process.env.KILL_AT ?? "";

/** @param {string | undefined} url @param {"before" | "after"} when */
function killIfAsked(url, when) {
  let asked;
  try {
    asked = JSON.parse(readFileSync(order, "utf8"));
  } catch {
    return;
  }
  if (asked.when !== when || url?.split("?")[0] !== asked.path) return;
  unlinkSync(order);
  process.kill(process.pid, "SIGKILL");
}

const { emit } = Server.prototype;
/** @type {typeof emit} */
Server.prototype.emit = function (event, ...rest) {
  if (event === "request") killIfAsked(rest[0].url, "before");
  return emit.call(this, event, ...rest);
};

const { writeHead } = ServerResponse.prototype;
/** @type {(this: ServerResponse, ...rest: any[]) => ServerResponse} */
ServerResponse.prototype.writeHead = function (...rest) {
  killIfAsked(this.req.url, "after");
  return writeHead.apply(this, /** @type {Parameters<typeof writeHead>} */ (rest));
};
