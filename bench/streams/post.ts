import { once } from "node:events";
import { request } from "node:http";
import type { Readable, Writable } from "node:stream";

/** Calls a method on a plugin's socket, each on a connection of its own. Fails unless it answers 200. */
export async function post(
  socketPath: string,
  path: string,
  send: (sink: Writable) => void | Promise<void>,
  receive: (answer: Readable) => Promise<unknown>,
): Promise<void> {
  const outgoing = request({ socketPath, path: `/${path}`, method: "POST", agent: false });
  const answered = once(outgoing, "response");
  await send(outgoing);
  const [answer] = await answered;
  if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}: ${await readText(answer)}`);
  await receive(answer);
}

export async function readText(source: Readable): Promise<string> {
  return Buffer.concat(await source.toArray()).toString();
}

/** Reads to the end; how many bytes that was. */
export async function countBytes(source: Readable): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of source) sizeBytes += (chunk as Buffer).length;
  return sizeBytes;
}
