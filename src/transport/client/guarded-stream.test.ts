import { once } from "node:events";
import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Deadline } from "../wire/deadline.ts";
import { guardStream } from "./guarded-stream.ts";

/** Tells whether its time is running. */
function createWatchedDeadline() {
  const watched = { running: false, released: false };
  const deadline: Deadline = {
    signal: new AbortController().signal,
    start: () => void (watched.running = true),
    pause: () => void (watched.running = false),
    release: () => void (watched.released = true),
  };
  return { watched, deadline };
}

it("counts the time in which the caller waits for the peer, not the other way round", async () => {
  const { watched, deadline } = createWatchedDeadline();
  const body = new PassThrough();
  const stream = guardStream(body, deadline, "/X.Y on test:");
  await turn();
  expect(watched.running).toBe(false);

  stream.read();
  await turn();
  expect(watched.running).toBe(true);

  body.write(Buffer.alloc(1_000_000));
  await once(stream, "readable");
  await turn();
  expect(watched.running).toBe(false);

  stream.read();
  await turn();
  expect(watched.running).toBe(true);
  body.end();
  stream.resume();
  await once(stream, "close");
  expect(watched.released).toBe(true);
});
