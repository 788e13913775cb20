import { finished, Readable } from "node:stream";
import { TransportError } from "../../errors/index.ts";
import type { Deadline } from "../wire/deadline.ts";

/**
 * An answered stream as the caller gets it: it fails with a `TransportError` where the peer broke it off, and when
 * the peer is silent for longer than the deadline while somebody waits for its bytes. Destroying it destroys `body`.
 */
export function guardStream(body: Readable, deadline: Deadline, subject: string): Readable {
  const guarded = new Readable({
    // Called when there is room for more, so the time in which the caller does not read is not the peer's.
    read() {
      deadline.start();
      body.resume();
    },
  });
  body.on("data", (chunk: Buffer) => {
    deadline.pause();
    if (!guarded.push(chunk)) body.pause();
  });
  body.once("end", () => guarded.push(null));
  body.pause();
  deadline.pause();
  deadline.signal.addEventListener("abort", () => guarded.destroy(deadline.signal.reason as Error), { once: true });
  finished(body, (error) => {
    if (!error) return;
    const message = `${subject} broke off in the middle of its answer: ${error.message}`;
    guarded.destroy(new TransportError("UNAVAILABLE", message, { reachedPeer: true, cause: error }));
  });
  guarded.once("close", () => {
    deadline.release();
    body.destroy();
  });
  return guarded;
}
