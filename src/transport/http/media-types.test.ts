import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createClient, createHandler, createHttpServer, createHttpTransport, implement } from "../index.ts";
import { plain, protocol } from "./transports.test.support.ts";

let socketPath: string;
let stop: () => Promise<void>;
const headers: IncomingHttpHeaders[] = [];

beforeEach(async () => {
  headers.length = 0;
  const folder = await mkdtemp(join(tmpdir(), "cleat-"));
  socketPath = join(folder, "s");
  const inner = createHttpServer(createHandler([implement(protocol, plain)]));
  const server = createServer((incoming, response) => {
    headers.push(incoming.headers);
    inner.emit("request", incoming, response);
  });
  await once(server.listen(socketPath), "listening");
  stop = async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  };
});

afterEach(() => stop());

it("of an upload is the one that the method's row names", async () => {
  const transport = createHttpTransport({ unix: socketPath });
  const client = createClient(protocol, transport);
  await client.upload({ id: "a" }, { body: Readable.from([Buffer.from("x")]) });
  await client.echo({ Text: "x" });
  await transport.close();
  expect(headers.map((sent) => sent["content-type"])).toEqual([
    "application/x-upload",
    "application/vnd.docker.plugins.v1.1+json",
  ]);
});

it.each([
  ["/Test.Download", '{"Bytes":1}', "application/x-download"],
  ["/Test.Echo", '{"Text":"x"}', "application/vnd.docker.plugins.v1.1+json"],
  ["/Test.Nothing", "{}", "application/vnd.docker.plugins.v1.1+json"],
])("of the answer to %s is the one that its row names", async (path, body, mediaType) => {
  const sent = request({ socketPath, path, method: "POST", agent: false }).end(body);
  const [response] = (await once(sent, "response")) as [Readable & { headers: IncomingHttpHeaders }];
  await once(response.resume(), "end");
  expect(response.headers["content-type"]).toBe(mediaType);
});
