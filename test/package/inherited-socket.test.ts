import { spawn } from "node:child_process";
import { once } from "node:events";
import { link, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createGrpcChannel, createGrpcClient, defineService, empty } from "../../src/grpc/index.ts";

const row = { kind: "unary", request: empty, response: empty, timeoutMs: 10_000, source: "this test" } as const;
const service = defineService({ name: "test.Ping", methods: { ping: { ...row, path: "/test.Ping/Ping" } } });

/** As systemd starts it, but for LISTEN_PID, which only a program between fork and exec can set. */
const program = `
  import { defineService, empty, implementService, inheritedSockets, listenOnInherited, serveGrpc } from "cleat/grpc";
  process.env.LISTEN_PID = String(process.pid);
  if (inheritedSockets().length !== 1) throw new Error("no socket was passed");
  const row = { kind: "unary", request: empty, response: empty, timeoutMs: 10000, source: "" };
  const service = defineService({ name: "test.Ping", methods: { ping: { ...row, path: "/test.Ping/Ping" } } });
  const running = await serveGrpc({
    services: [implementService(service, { ping: async () => ({}) })],
    listen: (server) => listenOnInherited(server),
  });
  process.once("SIGTERM", () => void running.close());
`;

test("a call waits in an inherited socket until a server is there, also when one has ended before", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-inherited-"));
  const path = join(folder, "s.sock");
  const listener = createServer().listen(join(folder, "bound"));
  await once(listener, "listening");
  await link(join(folder, "bound"), path);
  const { fd } = Reflect.get(listener, "_handle") as { fd: number };
  const options = { cwd: root, env: { ...process.env, LISTEN_FDS: "1" } };
  const start = () =>
    spawn(process.execPath, ["--input-type=module", "-e", program], {
      ...options,
      stdio: ["ignore", "inherit", "inherit", fd],
    });
  const first = start();
  // The second has the socket from the start, and serves only when the first has ended.
  const second = spawn("sh", ["-c", 'read line && exec "$0" --input-type=module -e "$1"', process.execPath, program], {
    ...options,
    stdio: ["pipe", "inherit", "inherit", fd],
  });
  listener.close(); // or this process would take calls itself
  try {
    await using channel = createGrpcChannel({ unix: path });
    const client = createGrpcClient(service, channel);
    expect(await client.ping({})).toEqual({});
    first.kill("SIGTERM");
    expect(await once(first, "exit")).toEqual([0, null]);
    const waiting = client.ping({});
    second.stdin?.end("go\n");
    expect(await waiting).toEqual({});
  } finally {
    first.kill("SIGKILL");
    second.kill("SIGKILL");
    await rm(folder, { recursive: true });
  }
});

const root = join(import.meta.dirname, "../..");
