/** Opening volume plugins. What is called on them is tested in volume-plugin.test.ts. */
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withResolvers } from "../../volume/memory-volumes.test.support.ts";
import {
  type Behaviour,
  folder,
  leaveDeadSocket,
  reply,
  socketOf,
  startFake,
  startPlugin,
} from "../peers.test.support.ts";
import { createVolumePlugins, type VolumePlugins } from "./volume-plugins.ts";

let plugins: VolumePlugins;
beforeEach(() => {
  plugins = createVolumePlugins();
});
afterEach(() => plugins.close());

const open = (name = "p", options = {}) => plugins.open(name, socketOf("p"), options);
const silent: Behaviour = () => {};

describe("what cannot be opened", () => {
  it("is NOT_FOUND where nothing is", async () => {
    const message = `in volume plugin "p": socket "${socketOf("p")}" is not there`;
    await expect(open()).rejects.toMatchObject({ code: "NOT_FOUND", message });
    await writeFile(join(folder, "file"), "");
    await expect(plugins.open("p", join(folder, "file", "p.sock"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("is INVALID_ARGUMENT where it is not a socket, or none that can be dialled", async () => {
    await writeFile(join(folder, "file"), "");
    await mkdir(socketOf("p"));
    const message = `in volume plugin "p": path "${join(folder, "file")}" is not a socket`;
    await expect(plugins.open("p", join(folder, "file"))).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message });
    await expect(open()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    for (const path of [`/${"x".repeat(107)}`, "/a\0b"]) {
      await expect(plugins.open("p", path)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });

  it("is INVALID_ARGUMENT where its name may name no plugin (U6)", async () => {
    await startPlugin("p");
    for (const name of ["../p", "", "a/b", "-p"]) {
      await expect(open(name)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });

  it.each<[string, string]>([
    ["404", reply("404 page not found", "HTTP/1.1 404 Not Found")],
    ["500 with a manifest", reply('{"Implements":["VolumeDriver"]}', "HTTP/1.1 500 Internal Server Error")],
    ["HTML", reply("<html>")],
    ["an Err with status 200", reply('{"Err":"go away"}')],
  ])("is FAILED_PRECONDITION where activation answers %s", async (_what, answer) => {
    await startFake("p", (socket) => socket.write(answer));
    const message = expect.stringMatching(/^in volume plugin "p": .* is not a plugin: /);
    await expect(open()).rejects.toMatchObject({ code: "FAILED_PRECONDITION", message });
  });

  it("is UNIMPLEMENTED where it is another kind of plugin", async () => {
    await startPlugin("p", {}, { implemented: ["authz", "NetworkDriver"] });
    const message = expect.stringMatching(/^in volume plugin "p": .*it implements authz, NetworkDriver$/);
    await expect(open()).rejects.toMatchObject({ code: "UNIMPLEMENTED", message });
  });

  it("is UNAVAILABLE where nobody listens any more", async () => {
    await leaveDeadSocket("p");
    await expect(open()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("is DEADLINE_EXCEEDED where nobody answers in time", async () => {
    await startFake("p", silent);
    const message = 'in volume plugin "p": /Plugin.Activate gave no answer within 20 ms';
    await expect(open("p", { timeoutMs: 20 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED", message });
  });

  it("is ALREADY_EXISTS where the name is known at another path", async () => {
    await startPlugin("p");
    await startPlugin("other");
    await open();
    const refused = plugins.open("p", socketOf("other"));
    await expect(refused).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      message: `in volume plugin "p": known at "${socketOf("p")}" already, which is not "${socketOf("other")}"`,
    });
    await open();
  });
});

it("waits 5 s by default, as Podman does", async () => {
  const activated = withResolvers<void>();
  await startFake("p", () => activated.resolve());
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    let failure: unknown;
    const opening = open().catch((error: unknown) => (failure = error));
    await activated.promise;
    await vi.advanceTimersByTimeAsync(4_999);
    expect(failure).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await opening;
    expect(failure).toMatchObject({ code: "DEADLINE_EXCEEDED", message: expect.stringContaining("within 5000 ms") });
  } finally {
    vi.useRealTimers();
  }
});

describe("what is known", () => {
  it("is validated once, for any number of callers and however its path is spelled", async () => {
    const { calls } = await startPlugin("p");
    const spelled = [socketOf("p"), `${folder}//sockets/./p.sock`, `${folder}/specs/../sockets/p.sock/`];
    const opened = await Promise.all([...spelled, ...spelled].map((path) => plugins.open("p", path)));
    await open();
    expect(new Set(opened.map(({ socketPath }) => socketPath))).toEqual(new Set([socketOf("p")]));
    expect(calls).toEqual(["/Plugin.Activate"]);
  });

  it("is known by that name only, and to that value only", async () => {
    const { calls } = await startPlugin("p");
    await open();
    await open("q");
    await using others = createVolumePlugins();
    await others.open("p", socketOf("p"));
    expect(calls).toEqual(["/Plugin.Activate", "/Plugin.Activate", "/Plugin.Activate"]);
  });

  it("is not a failure: the next caller tries again, at any path", async () => {
    let answer = reply('{"Implements":["authz"]}');
    await startFake("p", (socket) => socket.write(answer));
    await startPlugin("other");
    const both = await Promise.allSettled([open(), open()]);
    const refused = { status: "rejected", reason: { code: "UNIMPLEMENTED" } };
    expect(both).toMatchObject([refused, refused]);
    await plugins.open("p", socketOf("other"));
    await expect(open()).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    answer = reply('{"Implements":["authz","VolumeDriver"]}');
    await open("q");
  });

  it("is at the path that answered first", async () => {
    const slow = withResolvers<() => void>();
    await startFake("p", (socket) => slow.resolve(() => socket.write(reply('{"Implements":["VolumeDriver"]}'))));
    await startPlugin("other");
    const late = open();
    const answer = await slow.promise;
    const first = await plugins.open("p", socketOf("other"));
    answer();
    await expect(late).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    expect(first.socketPath).toBe(socketOf("other"));
  });
});

describe("who waits for one that is slow", () => {
  it("may give up, and takes nothing from the others", async () => {
    const asked = withResolvers<() => void>();
    const { calls } = await startFake("p", (socket) =>
      asked.resolve(() => socket.write(reply('{"Implements":["VolumeDriver"]}'))),
    );
    const giveUp = new AbortController();
    const impatient = open("p", { signal: giveUp.signal });
    const patient = open();
    const answer = await asked.promise;
    giveUp.abort(new Error("no more"));
    await expect(impatient).rejects.toMatchObject({
      code: "CANCELLED",
      message: 'in volume plugin "p": /Plugin.Activate was given up by its caller',
    });
    answer();
    expect((await patient).name).toBe("p");
    expect(calls).toHaveLength(1);
  });

  it("does not fail by the deadline of another", async () => {
    const asked = withResolvers<void>();
    const { calls } = await startFake("p", (socket) => {
      asked.resolve(); // the first stays without an answer
      if (calls.length === 2) socket.write(reply('{"Implements":["VolumeDriver"]}'));
    });
    const impatient = open("p", { timeoutMs: 100 });
    const refused = expect(impatient).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await asked.promise;
    expect((await open()).name).toBe("p");
    await refused;
    expect(calls).toHaveLength(2);
  });

  it("is not called at all where it has given up before", async () => {
    const { calls } = await startPlugin("p");
    await expect(open("p", { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
    expect(calls).toEqual([]);
  });
});

describe("close", () => {
  const closed = {
    code: "CANCELLED",
    message: expect.stringMatching(/^(on "a" )?in volume plugin "p": .*are closed$/),
  };

  it("cancels what is under way, and leaves no connection behind", async () => {
    const asked = withResolvers<void>();
    const gone = withResolvers<void>();
    await startFake(
      "p",
      (socket) => socket.write(reply('{"Implements":["VolumeDriver"]}')),
      (socket) => {
        void once(socket, "close").then(() => gone.resolve());
        asked.resolve();
      },
    );
    const mounting = (await open()).mount("a", "c");
    await asked.promise;
    await plugins.close();
    await plugins.close();
    await expect(mounting).rejects.toMatchObject(closed);
    await gone.promise;
  });

  it("cancels a validation", async () => {
    const asked = withResolvers<void>();
    await startFake("p", () => asked.resolve());
    const opening = open();
    await asked.promise;
    await plugins.close();
    await expect(opening).rejects.toMatchObject(closed);
  });

  it("is for good", async () => {
    const { calls } = await startPlugin("p");
    const plugin = await open();
    await plugins.close();
    await expect(open()).rejects.toMatchObject(closed);
    await expect(plugin.path("a")).rejects.toMatchObject(closed);
    expect(calls).toEqual(["/Plugin.Activate"]);
  });
});
