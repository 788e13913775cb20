import { getEventListeners, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createGrpcChannel } from "../client/channel.ts";
import { createGrpcClient } from "../client/client.ts";
import { createEcho, echoService, until } from "../grpc.test.support.ts";
import { implementService } from "../services/sides.ts";
import { serveGrpc } from "./serve.ts";

const unhandled: unknown[] = [];
const listener = (error: unknown) => void unhandled.push(error);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-grpc-"));
  process.on("unhandledRejection", listener);
});
afterEach(async () => {
  process.off("unhandledRejection", listener);
  await rm(folder, { recursive: true });
});

it("a server whose socket cannot be removed lets its calls finish, and says so then", async () => {
  const path = join(folder, "s.sock");
  const [ending, giveUp] = [new AbortController(), new AbortController()];
  const { implementation, seen } = createEcho();
  let isClosed = false;
  const server = await serveGrpc({
    services: [implementService(echoService, implementation)],
    signal: ending.signal,
    async listen(listening: Server) {
      await once(listening.listen(path), "listening");
      return { address: `unix://${path}`, remove: () => Promise.reject(new Error("it stays")) };
    },
    close: async () => void (isClosed = true),
  });
  const channel = createGrpcChannel({ unix: path });
  const call = createGrpcClient(echoService, channel).wait({}, { signal: giveUp.signal });
  call.catch(() => {});
  await until(() => seen.sent === 1);
  const closing = server.close();
  closing.catch(() => {});
  await pause(20); // in which Node tells of what nobody handles
  giveUp.abort();
  await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
  await channel.close();
  await expect(closing).rejects.toMatchObject({ errors: [{ message: "it stays" }] });
  expect([isClosed, unhandled, getEventListeners(ending.signal, "abort")]).toEqual([true, [], []]);
});
