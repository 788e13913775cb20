import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

/**
 * Imports an archive as an image, as `docker import` does, but calls `pause` when half of it is sent. Returns what the
 * daemon answers: lines of progress, at the end one with the
 * image's id as its `"status"`; or an `"error"`, or a `"message"` where it failed before the first line.
 */
export async function importWithPause(
  socketPath: string,
  archive: string,
  image: string,
  pause: () => Promise<void>,
): Promise<string> {
  const half = (await stat(archive)).size >> 1;
  const call = request({ socketPath, path: `/images/create?fromSrc=-&repo=${image}`, method: "POST", agent: false });
  const answered = once(call, "response");
  // A daemon that gives up answers and closes; writing on after that fails, which is no news.
  call.on("error", () => {});
  for await (const chunk of createReadStream(archive, { end: half - 1 })) call.write(chunk);
  await pause();
  for await (const chunk of createReadStream(archive, { start: half })) call.write(chunk);
  call.end();
  const [response] = (await answered) as [IncomingMessage];
  return text(response);
}
