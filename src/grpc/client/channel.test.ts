import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createGrpcChannel } from "./channel.ts";

it("closes, and ends its connection, where the peer accepts and never says anything", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-channel-"));
  const hung = createServer();
  try {
    await once(hung.listen(join(folder, "hung.sock")), "listening");
    const connected = once(hung, "connection");
    const channel = createGrpcChannel({ unix: join(folder, "hung.sock") });
    const session = await channel.session();
    const [socket] = (await connected) as [Socket];
    await channel.close();
    expect(session.destroyed).toBe(true);
    socket.destroy();
  } finally {
    hung.close();
    await rm(folder, { recursive: true });
  }
});
