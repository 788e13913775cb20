import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Connection } from "../../protocol/index.ts";
import { createHttpServer, descriptorOf } from "../index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function call(socket: Socket): Promise<void> {
  socket.write("POST /X.Y HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
  await once(socket, "data");
}

it("a handler is told by which connection each call came, and when that is closed", async () => {
  const seen: Connection[] = [];
  const server = createHttpServer(async ({ connection }) => {
    if (connection !== undefined) seen.push(connection);
    return { status: 200, body: Buffer.from("{}") };
  });
  server.listen(join(folder, "s"));
  await once(server, "listening");
  const sockets = [0, 1].map(() => connect(join(folder, "s")));
  for (const socket of [0, 0, 1]) await call(sockets[socket] as Socket);

  expect(seen[0]).toBe(seen[1]);
  expect(seen[2]).not.toBe(seen[0]);
  expect(seen[0]?.descriptor).toBeGreaterThan(2);
  expect(seen[2]?.descriptor).not.toBe(seen[0]?.descriptor);

  for (const socket of sockets) socket.destroy();
  expect(descriptorOf(sockets[0] as Socket)).toBeUndefined();
  server.close();
  await once(server, "close");
  await nextTurn();
  expect(seen[0]?.descriptor).toBeUndefined();
});
