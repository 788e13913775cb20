/**
 * What a plugin that is dead, slow or hostile costs its caller: which error, after how long, how often it was called.
 * Its neighbour is called all the while and is to notice nothing.
 */
import { writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { RemoteError, SchemaError, TransportError } from "../errors/index.ts";
import { volumeDriverProtocol } from "../protocol/index.ts";
import type { ActivePlugin, Registry } from "./index.ts";
import {
  activates,
  type Behaviour,
  leaveDeadSocket,
  openRegistry,
  reply,
  specOf,
  startFake,
  startPlugin,
  startTlsPlugin,
} from "./peers.test.support.ts";

const deadlineMs = 300;
const patience = { timeoutMs: deadlineMs, retryLimitMs: 0, maxReplyBytes: 1024 * 1024 };

interface Fault {
  readonly title: string;
  readonly behaviour: Behaviour;
  readonly onCall: object;
  /** What an activation fails with; the same as a call unless it says so. */
  readonly onActivate?: object;
  readonly lasts: "no time" | "the deadline";
  /** Only TCP can be reset. */
  readonly onTcp?: true;
}

const noPlugin = {
  code: "FAILED_PRECONDITION",
  message: expect.stringMatching(/"faulty" at unix:\S+ is not a plugin: /),
};
const late = { code: "DEADLINE_EXCEEDED", message: expect.stringContaining(`gave no answer within ${deadlineMs} ms`) };
const broke = { constructor: TransportError, code: "UNAVAILABLE", reachedPeer: true };

const faults: readonly Fault[] = [
  { title: "accepts and never answers", behaviour: () => {}, onCall: late, lasts: "the deadline" },
  {
    title: "answers one byte after the other for ever",
    behaviour: (socket) => drip(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
    onCall: late,
    lasts: "the deadline",
  },
  {
    title: "sends its headers one byte after the other for ever",
    behaviour: (socket) => drip(socket, "HTTP/1.1 200 OK\r\nX: "),
    onCall: late,
    lasts: "the deadline",
  },
  {
    title: "answers 10 GB",
    behaviour: (socket) => flood(socket, 10 * 2 ** 30),
    onCall: { code: "RESOURCE_EXHAUSTED", message: expect.stringContaining("is over 1048576 bytes") },
    onActivate: noPlugin,
    lasts: "no time",
  },
  {
    title: "answers headers without end",
    behaviour: (socket) => socket.write(`HTTP/1.1 200 OK\r\n${"X-Y: z\r\n".repeat(20_000)}`),
    onCall: broke,
    lasts: "no time",
  },
  {
    title: "closes in the middle of its answer",
    behaviour: (socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Mount`),
    onCall: { ...broke, message: expect.stringContaining("broke off in the middle of its answer") },
    lasts: "no time",
  },
  {
    title: "closes without an answer",
    behaviour: (socket) => socket.end(),
    onCall: broke,
    lasts: "no time",
  },
  {
    title: "resets the connection after the request was sent",
    behaviour: (socket) => socket.resetAndDestroy(),
    onCall: { ...broke, message: expect.stringContaining("ECONNRESET") },
    lasts: "no time",
    onTcp: true,
  },
  {
    title: "answers 200 with Err",
    behaviour: (socket) => socket.write(reply('{"Err":"no such volume","Mountpoint":"/x"}')),
    onCall: { constructor: RemoteError, code: "UNKNOWN", remoteMessage: "no such volume" },
    onActivate: noPlugin,
    lasts: "no time",
  },
  {
    title: "answers 500 without JSON",
    behaviour: (socket) => socket.write(reply("panic: runtime error", "HTTP/1.1 500 Internal Server Error")),
    onCall: { constructor: RemoteError, httpStatus: 500, remoteMessage: "panic: runtime error" },
    onActivate: noPlugin,
    lasts: "no time",
  },
  {
    title: "answers HTML",
    behaviour: (socket) => socket.write(reply("<!doctype html><title>Login</title>")),
    onCall: { constructor: SchemaError, code: "DATA_LOSS", message: expect.stringContaining("not JSON") },
    onActivate: noPlugin,
    lasts: "no time",
  },
  {
    title: "answers another shape",
    behaviour: (socket) => socket.write(reply('{"Mountpoint":7,"Implements":"VolumeDriver"}')),
    onCall: { constructor: SchemaError, code: "DATA_LOSS", message: expect.stringContaining("Mountpoint") },
    onActivate: noPlugin,
    lasts: "no time",
  },
  {
    title: "switches protocols",
    behaviour: (socket) => socket.write("HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
    onCall: broke,
    lasts: "no time",
  },
  {
    title: "breaks off in the middle of a failure",
    behaviour: (socket) => socket.end("HTTP/1.1 500 E\r\nContent-Length: 100\r\n\r\nabc"),
    onCall: { ...broke, message: expect.stringContaining("broke off in the middle of its answer") },
    lasts: "no time",
  },
  {
    title: "redirects",
    behaviour: (socket) => socket.write(reply("", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/")),
    onCall: { constructor: RemoteError, httpStatus: 302 },
    onActivate: noPlugin,
    lasts: "no time",
  },
  {
    title: "speaks something else",
    behaviour: (socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"),
    onCall: broke,
    lasts: "no time",
  },
];

describe.each(faults)("a plugin that $title", ({ behaviour, onCall, onActivate = onCall, lasts, onTcp }) => {
  it("fails its caller when it is called", async () => {
    const { calls } = await startFake("faulty", activates, behaviour, { onTcp: onTcp === true });
    const registry = openRegistry(patience);
    const neighbour = await startNeighbour(registry);
    const { client } = await registry.get("faulty", volumeDriverProtocol);
    await neighbour.noticesNothing(() => expectFault(client.path({ Name: "v" }), onCall, lasts));
    expect(calls).toEqual(["/Plugin.Activate", "/VolumeDriver.Path"]);
  });

  it("fails its caller when it is activated", async () => {
    const { calls } = await startFake("faulty", behaviour, behaviour, { onTcp: onTcp === true });
    const registry = openRegistry(patience);
    const neighbour = await startNeighbour(registry);
    await neighbour.noticesNothing(() => expectFault(registry.get("faulty", volumeDriverProtocol), onActivate, lasts));
    expect(calls).toEqual(["/Plugin.Activate"]);
  });
});

describe("a plugin behind TLS", () => {
  it("answers where it proves who it is", async () => {
    await startTlsPlugin("sound", "server");
    const plugin = await openRegistry(patience).get("sound", volumeDriverProtocol);
    expect(plugin.address).toMatch(/^https:/);
  });

  it.each([
    ["expired", "expired"],
    ["wrong-host", "127.0.0.1"],
    ["self-signed", "self-signed"],
  ])("is not called with the certificate %s", async (certificate, sentence) => {
    const { calls } = await startTlsPlugin("faulty", certificate);
    const registry = openRegistry(patience);
    const neighbour = await startNeighbour(registry);
    const distrust = { code: "UNAUTHENTICATED", reachedPeer: false, message: expect.stringContaining(sentence) };
    await neighbour.noticesNothing(() =>
      expectFault(registry.get("faulty", volumeDriverProtocol), distrust, "no time"),
    );
    expect(calls).toEqual([]);
  });
});

describe("files", () => {
  it.each([
    ["", "is empty; it may be half written"],
    ["unix:/", "is none of unix:///PATH"],
    ["tcp://127.0.0.1:", "is none of unix:///PATH"],
  ])("a spec file half written, %j, is said to be so", async (content, sentence) => {
    await writeFile(specOf("faulty"), content);
    await expect(openRegistry(patience).get("faulty", volumeDriverProtocol)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(sentence),
    });
  });

  it("a socket that nobody listens on costs no time", async () => {
    await leaveDeadSocket("faulty");
    const registry = openRegistry(patience);
    const neighbour = await startNeighbour(registry);
    await neighbour.noticesNothing(() =>
      expectFault(
        registry.get("faulty", volumeDriverProtocol),
        { code: "UNAVAILABLE", reachedPeer: false, message: expect.stringContaining("ECONNREFUSED") },
        "no time",
      ),
    );
  });

  it("a socket replaced by another program is not called before that was activated", async () => {
    const first = await startPlugin("faulty");
    const { client } = await openRegistry(patience).get("faulty", volumeDriverProtocol);
    await first.stop();
    const impostor = await startFake(
      "faulty",
      (socket) => socket.write(reply("<html>")),
      () => expect.unreachable(),
    );
    await expect(client.create({ Name: "v", Opts: { password: "secret" } })).rejects.toMatchObject(noPlugin);
    expect(impostor.calls).toEqual(["/Plugin.Activate"]);
  });
});

it("takes a wrong content type, which engines do not read", async () => {
  await startFake("odd", activates, (socket) =>
    socket.write(reply('{"Mountpoint":"/x"}', "HTTP/1.1 200 OK\r\nContent-Type: text/html")),
  );
  const { client } = await openRegistry(patience).get("odd", volumeDriverProtocol);
  expect(await client.path({ Name: "v" })).toEqual({ Mountpoint: "/x" });
});

it("leaves a plugin alone that hangs, and comes back to it", async () => {
  let hangs = true;
  const { calls } = await startFake("faulty", activates, (socket) => {
    if (!hangs) socket.write(reply('{"Mountpoint":"/well"}'));
  });
  const breaker = { failures: 2, pauseMs: 50, minSilenceMs: 0 };
  const { client } = await openRegistry({ ...patience, breaker }).get("faulty", volumeDriverProtocol);
  const path = () => client.path({ Name: "v" });
  await expect(path()).rejects.toMatchObject(tooLate);
  await expect(path()).rejects.toMatchObject(tooLate);
  await expect(path()).rejects.toMatchObject({ code: "UNAVAILABLE", reachedPeer: false });
  expect(calls.filter((call) => call === "/VolumeDriver.Path")).toHaveLength(2);
  hangs = false;
  await expect.poll(() => path().catch(() => undefined)).toEqual({ Mountpoint: "/well" });
});

const tooLate = { code: "DEADLINE_EXCEEDED" };

async function expectFault(call: Promise<unknown>, expected: object, lasts: Fault["lasts"]): Promise<void> {
  const startedMs = performance.now();
  await expect(call).rejects.toMatchObject(expected);
  const lastedMs = performance.now() - startedMs;
  if (lasts === "the deadline") expect(lastedMs).toBeGreaterThanOrEqual(deadlineMs - 2); // timers round
}

/** A healthy plugin of the same registry, called for as long as the faulty one is dealt with, and once more. */
async function startNeighbour(registry: Registry) {
  await startPlugin("neighbour");
  const neighbour: ActivePlugin<typeof volumeDriverProtocol> = await registry.get("neighbour", volumeDriverProtocol);
  return {
    async noticesNothing(work: () => Promise<void>): Promise<void> {
      const state = { isOver: false };
      const done = work().finally(() => (state.isOver = true));
      do {
        expect(await neighbour.client.path({ Name: "v" })).toEqual({ Mountpoint: "/neighbour" });
      } while (!state.isOver);
      await done;
    },
  };
}

function drip(socket: Socket, head: string): void {
  socket.write(head);
  const timer = setInterval(() => socket.write("x"), 10);
  socket.once("close", () => clearInterval(timer));
}

function flood(socket: Socket, bytes: number): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
  const chunk = Buffer.alloc(65_536, " ");
  const more = () => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on("drain", more);
  more();
}
