import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createHttpServer, type Handler, type WireRequest } from "../index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-call-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** What a call is once its peer has hung up (or was answered), with nobody having asked for its signal before. */
async function callAfter(end: "a hang-up" | "an answer"): Promise<WireRequest> {
  let take!: (call: WireRequest) => void;
  let letAnswer!: () => void;
  const taken = new Promise<WireRequest>((resolve) => (take = resolve));
  const mayAnswer = new Promise<void>((resolve) => (letAnswer = resolve));
  const handler: Handler = async (request) => {
    take(request);
    if (end === "a hang-up") await mayAnswer;
    return { status: 200, body: Buffer.from("{}") };
  };
  const server = createHttpServer(handler).listen(join(folder, "s"));
  await once(server, "listening");
  const closed = once(server, "connection").then(([socket]) => once(socket, "close"));
  const peer = connect(join(folder, "s"));
  peer.write("POST /Test.Echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
  const call = await taken;
  if (end === "an answer") await once(peer, "data");
  peer.destroy();
  await closed;
  letAnswer();
  server.close();
  return call;
}

it("has a signal that is aborted where the peer was gone before anybody asked for it", async () => {
  const { signal } = await callAfter("a hang-up");
  expect(signal.reason).toMatchObject({ code: "CANCELLED" });
});

it("has one that is not aborted where it was answered", async () => {
  const { signal } = await callAfter("an answer");
  expect(signal.aborted).toBe(false);
});
