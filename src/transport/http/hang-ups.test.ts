/**
 * A peer that hangs up is the peer's affair, wherever its call is: it is logged as CANCELLED, never as a fault of ours.
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ServerImplementation } from "../../protocol/index.ts";
import { createHandler, createHttpServer, implement } from "../index.ts";
import { plain, protocol, withResolvers } from "./transports.test.support.ts";

type Implementation = ServerImplementation<typeof protocol>;

let folder: string;
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-hang-up-"));
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  await rm(folder, { recursive: true });
});

interface Logged {
  readonly level: "debug" | "warn" | "error";
  readonly fields: object;
}

/** What is logged of a call whose peer sends `text` and hangs up when it has come and `called` resolves. */
async function logOfHangUp(
  text: string,
  implementation: Partial<Implementation>,
  called: Promise<void> | undefined = undefined,
): Promise<Logged> {
  const logged = withResolvers<Logged>();
  const at = (level: Logged["level"]) => (fields: object) => logged.resolve({ level, fields });
  const logger = { debug: at("debug"), info() {}, warn: at("warn"), error: at("error") };
  const handler = createHandler([implement(protocol, { ...plain, ...implementation })], { logger });
  server = createHttpServer(handler).listen(join(folder, "s"));
  await once(server, "listening");
  const requested = once(server, "request");
  const peer = connect(join(folder, "s"));
  peer.write(text);
  void Promise.all([requested, called]).then(() => peer.destroy());
  return logged.promise;
}

const upload = "POST /Test.Upload?id=a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
const download = 'POST /Test.Download HTTP/1.1\r\nContent-Length: 11\r\n\r\n{"Bytes":1}';
const gone = { level: "warn", fields: { code: "CANCELLED" } };

it("is told of a request that is not whole", async () => {
  const text = "POST /Test.Echo HTTP/1.1\r\nContent-Length: 100\r\n\r\n{";
  expect(await logOfHangUp(text, {})).toMatchObject(gone);
});

it("is told of an upload that is read as it comes", async () => {
  expect(await logOfHangUp(upload, {})).toMatchObject(gone);
});

it("is told of an upload that is read by Node's streams", async () => {
  const implementation: Partial<Implementation> = {
    upload: async (_, { body }) => {
      const stream = Readable.from(body);
      for await (const chunk of stream) void chunk;
      return { Size: 0 };
    },
  };
  expect(await logOfHangUp(upload, implementation)).toMatchObject(gone);
});

it("is told of an upload whose reader is ended by the call's signal", async () => {
  const implementation: Partial<Implementation> = {
    upload: async (_, { body, signal }) => {
      const stream = Readable.from(body);
      signal.addEventListener("abort", () => stream.destroy());
      await pipeline(stream, async (source) => {
        for await (const chunk of source) void chunk;
      });
      return { Size: 0 };
    },
  };
  expect(await logOfHangUp(upload, implementation)).toMatchObject(gone);
});

it("is told of a call in which Node gives up by the call's signal", async () => {
  const called = withResolvers<void>();
  const implementation: Partial<Implementation> = {
    echo: async ({ Text }, { signal }) => {
      called.resolve();
      await wait(60_000, undefined, { signal });
      return { Text };
    },
  };
  const text = 'POST /Test.Echo HTTP/1.1\r\nContent-Length: 13\r\n\r\n{"Text":"hi"}';
  expect(await logOfHangUp(text, implementation, called.promise)).toMatchObject(gone);
});

it("is told of a download that has no byte yet", async () => {
  const called = withResolvers<void>();
  const implementation: Partial<Implementation> = {
    download: async () => {
      called.resolve();
      return new Readable({ read() {} });
    },
  };
  expect(await logOfHangUp(download, implementation, called.promise)).toMatchObject(gone);
});

it("is not told of a call whose own stream ends before its time", async () => {
  const implementation: Partial<Implementation> = {
    upload: async () => {
      const broken = new Readable({ read() {} });
      broken.destroy();
      await pipeline(broken, async (source) => {
        for await (const chunk of source) void chunk;
      });
      return { Size: 0 };
    },
  };
  const logged = logOfHangUp(upload, implementation, new Promise(() => {}));
  expect(await logged).toMatchObject({ level: "error", fields: { err: { code: "ERR_STREAM_PREMATURE_CLOSE" } } });
});
