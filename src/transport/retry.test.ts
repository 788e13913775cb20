import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { TransportError } from "../errors/index.ts";
import {
  createClient,
  createHandler,
  createHttpServer,
  createHttpTransport,
  implement,
  type Transport,
} from "./index.ts";
import { chunks, plain, protocol } from "./transports.test.support.ts";

describe("a peer that is not there", () => {
  it("is UNAVAILABLE at once, with the address", async () => {
    const client = createClient(protocol, createHttpTransport({ unix: "/nowhere/x.sock" }));
    await expect(client.echo({ Text: "" })).rejects.toMatchObject({
      code: "UNAVAILABLE",
      reachedPeer: false,
      message: expect.stringContaining("unix:///nowhere/x.sock"),
    });
  });

  it("is waited for when asked to, and then gets the whole body", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cleat-"));
    const unix = join(folder, "s");
    const server = createHttpServer(createHandler([implement(protocol, plain)]));
    const transport = createHttpTransport({ unix });
    let tries = 0;
    const counted: Transport = {
      ...transport,
      send: async (request) => {
        if (++tries === 2) await once(server.listen(unix), "listening");
        return transport.send(request);
      },
    };
    const client = createClient(protocol, counted, { waitForPeerMs: 5_000 });
    expect(await client.upload({ id: "a" }, { body: Readable.from(chunks(200_000)) })).toEqual({ Size: 200_000 });
    expect(tries).toBe(2);
    await transport.close();
    server.close();
    await rm(folder, { recursive: true });
  });

  it("is not called again when the call may have reached it", async () => {
    let tries = 0;
    const transport: Transport = {
      address: "test:",
      send: async () => {
        tries++;
        throw new TransportError("UNAVAILABLE", "broke", { reachedPeer: true });
      },
      close: async () => {},
    };
    const client = createClient(protocol, transport, { waitForPeerMs: 5_000 });
    await expect(client.echo({ Text: "" })).rejects.toThrow("broke");
    expect(tries).toBe(1);
  });
});
