import { once } from "node:events";
import { closeSync, constants, openSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { logDriverProtocol } from "../protocol/index.ts";
import { createClient } from "../transport/index.ts";
import { encodeFrame } from "./entry-codec.ts";
import type { ContainerLog, LogEntry } from "./driver.ts";
import { openKeptLogs } from "./kept-logs.ts";
import {
  connectLogs,
  containerOf,
  createMemoryLogs,
  createPipeFolder,
  createRecorder,
  entryOf,
  infoOf,
  keepLogs,
  keptFiles,
  textOf,
  until,
} from "./log-plugin.test.support.ts";
import { toWireReadConfig } from "./wire-shapes.ts";

let folder: Awaited<ReturnType<typeof createPipeFolder>>;
let stateFolder: string;
beforeEach(async () => {
  folder = await createPipeFolder();
  stateFolder = `${folder.path}-state`;
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
  await rm(stateFolder, { recursive: true, force: true });
});

const noLoss = { dropped: 0 };
const textsOf = (entries: readonly LogEntry[] | undefined) => entries?.map(textOf);

/** A pipe that an engine holds. */
function makePipe(name: string) {
  const file = folder.makePipe(name);
  return { file, descriptor: openSync(file, constants.O_RDWR | constants.O_NONBLOCK) };
}

describe("a log behind the protocol", () => {
  it("is a log: containers, entries and the end arrive, pipes are gone afterwards", async () => {
    const { driver, kept, opened, closed } = createMemoryLogs();
    const { remote, plugin } = await connectLogs({ driver }, folder.path);
    const container = { ...containerOf("c1"), options: { color: "red", mode: "non-blocking", "cache-max-size": "1m" } };
    const log = await remote.openLog(container);
    const entries = [
      { source: "stderr", timeNs: 1_700_000_000_123_456_789n, line: Buffer.from([0xff, 0, 0x0a]) },
      { ...entryOf("piece"), partial: { id: "x", ordinal: 1, last: false } },
    ];
    await log.write(entries, noLoss);
    await log.close();
    await log.close();
    expect(opened).toEqual([containerOf("c1")]);
    expect(kept.get("c1")).toEqual(entries);
    expect(closed).toEqual(["c1"]);
    expect(readdirSync(folder.path)).toEqual([]);
    await plugin.close();
    await plugin.close();
    expect(closed).toEqual(["c1", "driver"]);
    await expect(remote.openLog(container)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("has all that was in the pipe when it ends", async () => {
    const { driver, kept } = createMemoryLogs();
    const { transport } = await connectLogs({ driver }, folder.path);
    const client = createClient(logDriverProtocol, transport);
    const { file, descriptor } = makePipe("pipe");
    await client.startLogging({ File: file, Info: infoOf("c1") });
    const lines = Array.from({ length: 5_000 }, (_, at) => entryOf(`line ${at}`));
    writeSync(descriptor, Buffer.concat(lines.map(encodeFrame)));
    await client.stopLogging({ File: file });
    expect(textsOf(kept.get("c1"))).toEqual(lines.map(textOf));
    await client.stopLogging({ File: file }); // is stopped already
    closeSync(descriptor);
  });

  it("is read back: times, tail, whole lines, and what comes", async () => {
    const { driver } = createMemoryLogs();
    const { remote, plugin } = await connectLogs({ driver }, folder.path);
    const log = await remote.openLog(containerOf("c1"));
    const read = async (options: object) => {
      const entries = remote.readLogs?.(containerOf("c1"), options) as AsyncIterable<LogEntry>;
      return textsOf((await Readable.from(entries).toArray()) as LogEntry[]);
    };
    const pieces = ["long ", "line"].map((text, at) => {
      return { ...entryOf(text, 3n), partial: { id: "x", ordinal: at + 1, last: at === 1 } };
    });
    await log.write([entryOf("first", 1n), entryOf("second", 2n), ...pieces], noLoss);
    await until(() => plugin.logs()[0]?.entries === 4);
    expect(await read({})).toEqual(["first", "second", "long line"]);
    expect(await read({ tail: 1 })).toEqual(["long line"]);
    expect(await read({ sinceNs: 2n })).toEqual(["second", "long line"]);
    expect(await read({ untilNs: 1n })).toEqual(["first"]);
    const following = read({ follow: true, tail: 1 });
    const live = remote.readLogs?.(containerOf("c1"), { follow: true }) as AsyncGenerator<LogEntry>;
    expect(textOf((await live.next()).value as LogEntry)).toBe("first");
    await live.return(undefined);
    await log.write([entryOf("later", 4n)], noLoss);
    await log.close();
    expect(await following).toEqual(["long line", "later"]);
  });

  it.each([
    ["never printed", []],
    ["is silent now", [entryOf("once")]],
  ])("lets its driver go at once when the reader of a container that %s leaves", async (_, printed) => {
    let signal: AbortSignal | undefined;
    let silent = () => {};
    const isSilent = new Promise<void>((resolve) => (silent = resolve));
    const { driver } = createMemoryLogs({
      async *readLogs(_container, _options, call) {
        yield* printed;
        signal = call?.signal;
        silent();
        if (signal !== undefined) await once(signal, "abort");
      },
    });
    const { transport } = await connectLogs({ driver }, folder.path);
    const leaving = new AbortController();
    const request = { Info: infoOf("c1"), Config: toWireReadConfig({ follow: true }) };
    const reading = createClient(logDriverProtocol, transport).readLogs(request, { signal: leaving.signal });
    const ended = reading.then((stream) => stream.resume().toArray()).catch(() => {});
    await isSilent;
    leaving.abort();
    await ended;
    expect(signal?.aborted).toBe(true);
  });

  it("ends for those who follow it when the plugin begins to close, and is read no further", async () => {
    const { driver } = createMemoryLogs();
    const { remote, plugin } = await connectLogs({ driver }, folder.path);
    const log = await remote.openLog(containerOf("c1"));
    await log.write([entryOf("said")], noLoss);
    await until(() => plugin.logs()[0]?.entries === 1);
    const follow = () => remote.readLogs?.(containerOf("c1"), { follow: true }) as AsyncGenerator<LogEntry>;
    const following = follow();
    expect(textOf((await following.next()).value as LogEntry)).toBe("said");
    plugin.onClosing();
    expect(await following.next()).toEqual({ done: true, value: undefined });
    expect(textsOf(await Readable.from(follow()).toArray())).toEqual(["said"]);
    await log.close();
    await plugin.close();
  });

  it("is read back as asked for, also from a driver that gives all it has", async () => {
    const all = [1n, 2n, 3n, 4n].map((timeNs) => entryOf(`line ${timeNs}`, timeNs));
    const { driver } = createMemoryLogs({
      async *readLogs() {
        yield* all;
      },
    });
    const { remote } = await connectLogs({ driver }, folder.path);
    const read = async (options: object) => {
      const entries = remote.readLogs?.(containerOf("c1"), options) as AsyncIterable<LogEntry>;
      return textsOf((await Readable.from(entries).toArray()) as LogEntry[]);
    };
    expect(await read({ tail: 2 })).toEqual(["line 3", "line 4"]);
    expect(await read({ tail: 1, untilNs: 2n })).toEqual(["line 2"]);
    expect(await read({ tail: 0 })).toEqual([]);
  });

  it("cannot be read back where the driver cannot", async () => {
    const { driver } = createMemoryLogs();
    const { name, openLog, close: end } = driver;
    const { remote, transport } = await connectLogs({ driver: { name, openLog, close: end } }, folder.path);
    expect(remote.readLogs).toBeUndefined();
    const client = createClient(logDriverProtocol, transport);
    expect(await client.capabilities({})).toEqual({ Cap: { ReadLogs: false } });
    await expect(client.readLogs({} as never)).rejects.toMatchObject({ code: expect.any(String) });
  });

  it("is refused by the driver with its reason, and leaves nothing", async () => {
    const { driver, closed } = createMemoryLogs({
      openLog: () => Promise.reject(new Error("no such option")),
    });
    const { remote, plugin } = await connectLogs({ driver, stateFolder }, folder.path);
    await expect(remote.openLog(containerOf("c1"))).rejects.toThrow("no such option");
    await plugin.close();
    expect([readdirSync(folder.path), await keptFiles(stateFolder), closed]).toEqual([[], [], ["driver"]]);
  });

  it.each(["a file", "a link", "nothing"])("is refused where there is %s in place of a pipe", async (what) => {
    const file = join(folder.path, "pipe");
    if (what === "a file") await writeFile(file, "precious");
    if (what === "a link") await symlink(makePipe("target").file, file);
    const { driver, closed } = createMemoryLogs();
    const { transport, plugin } = await connectLogs({ driver }, folder.path);
    const client = createClient(logDriverProtocol, transport);
    const refused = { code: what === "nothing" ? "NOT_FOUND" : "FAILED_PRECONDITION" };
    await expect(client.startLogging({ File: file, Info: infoOf("c1") })).rejects.toMatchObject(refused);
    expect([plugin.logs(), closed]).toEqual([[], ["c1"]]);
    if (what === "a file") expect(await readFile(file, "utf8")).toBe("precious");
  });
});

describe("a container", () => {
  const hung: ContainerLog = { write: () => new Promise(() => {}), close: async () => {} };

  it.each(["oldest", "newest"] as const)("does not wait for a driver that hangs: the %s are dropped", async (drop) => {
    const { lines, logger } = createRecorder();
    const { driver } = createMemoryLogs({ openLog: async () => hung });
    const options = { driver, drop, maxBufferBytes: 64 * 1024, stopTimeoutMs: 20, logger };
    const { remote, plugin } = await connectLogs(options, folder.path);
    const log = await remote.openLog(containerOf("c1"));
    const batch = Array.from({ length: 1_000 }, (_, at) => entryOf(`${at} ${"x".repeat(1_000)}`));
    for (let round = 0; round < 10; round++) await log.write(batch, noLoss);
    await until(() => plugin.logs()[0]?.entries === 10_000);
    const [status] = plugin.logs();
    expect(status?.dropped).toBeGreaterThan(9_000);
    expect(status?.bufferedBytes).toBeLessThanOrEqual(64 * 1024);
    await log.close(); // its end does not wait either
    expect(lines).toContainEqual(expect.objectContaining({ message: "log is still being written" }));
  });

  it("is told to the driver how much was lost, also by the driver itself", async () => {
    let fail = true;
    let letGo = () => {};
    const losses: number[] = [];
    const { driver } = createMemoryLogs({
      openLog: async () => ({
        async write(entries, { dropped }) {
          losses.push(dropped);
          if (fail) throw new Error(`disk is full at ${entries.length}`);
          await new Promise<void>((resolve) => (letGo = resolve));
        },
        close: async () => {},
      }),
    });
    const { lines, logger } = createRecorder();
    const { remote, plugin } = await connectLogs({ driver, maxBufferBytes: 10_000, logger }, folder.path);
    const log = await remote.openLog(containerOf("c1"));
    await log.write([entryOf("lost"), entryOf("lost")], noLoss);
    await until(() => plugin.logs()[0]?.dropped === 2);
    fail = false;
    await log.write([entryOf("kept")], noLoss);
    await until(() => losses.length === 2);
    await log.write(
      Array.from({ length: 100 }, () => entryOf("x".repeat(100))),
      noLoss,
    );
    await until(() => plugin.logs()[0]?.entries === 103);
    letGo();
    await until(() => losses.length === 3);
    const overflown = (plugin.logs()[0]?.dropped ?? 0) - 2;
    letGo();
    await log.close();
    expect(overflown).toBeGreaterThan(50);
    expect(losses).toEqual([0, 2, overflown]);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: "warn", container: "c1", reason: "the driver failed: disk is full at 2" }),
    );
  });

  it("does not wait for the others, nor do files: 64 quiet pipes take no thread", async () => {
    const { driver, kept } = createMemoryLogs();
    const { remote } = await connectLogs({ driver }, folder.path);
    const ids = Array.from({ length: 64 }, (_, at) => `c${at}`);
    const logs = await Promise.all(ids.map((id) => remote.openLog(containerOf(id))));
    const path = join(folder.path, "file");
    writeFileSync(path, "read");
    for (let round = 0; round < 8; round++) expect(await readFile(path, "utf8")).toBe("read");
    await Promise.all(logs.map((log, at) => log.write([entryOf(`of ${at}`)], noLoss)));
    await until(() => ids.every((id) => kept.get(id)?.length === 1));
    await Promise.all(logs.map((log) => log.close()));
    expect(ids.map((id) => textsOf(kept.get(id)))).toEqual(ids.map((_, at) => [`of ${at}`]));
  });
});

describe("a plugin that is started again", () => {
  it("goes on with its pipes, from the byte where the one before ended in peace", async () => {
    const first = createMemoryLogs();
    const { plugin, transport } = await connectLogs({ driver: first.driver, stateFolder }, folder.path);
    const { file, descriptor } = makePipe("pipe");
    await createClient(logDriverProtocol, transport).startLogging({ File: file, Info: infoOf("c1") });
    const frames = ["one", "two", "three"].map((text) => encodeFrame(entryOf(text)));
    const bytes = Buffer.concat(frames);
    const half = (frames[0]?.byteLength ?? 0) + 9;
    writeSync(descriptor, bytes.subarray(0, half));
    await until(() => plugin.logs()[0]?.entries === 1);
    await plugin.close();
    expect(await keptFiles(stateFolder)).toEqual([file]);
    writeSync(descriptor, bytes.subarray(half));

    const second = createMemoryLogs();
    const next = await connectLogs({ driver: second.driver, stateFolder }, folder.path);
    next.plugin.onListening();
    await until(() => second.kept.get("c1")?.length === 2);
    expect([textsOf(first.kept.get("c1")), textsOf(second.kept.get("c1"))]).toEqual([["one"], ["two", "three"]]);
    expect(next.plugin.logs()[0]?.skippedBytes).toBe(0);
    await createClient(logDriverProtocol, next.transport).stopLogging({ File: file });
    await next.plugin.close();
    expect(await keptFiles(stateFolder)).toEqual([]);
    closeSync(descriptor);
  });

  it("after a kill goes on with the next entry, and counts what it skips", async () => {
    const { file, descriptor } = makePipe("pipe");
    await keepLogs(stateFolder, [{ file, id: "c1" }]);
    const torn = encodeFrame(entryOf("half of it was read")).subarray(12);
    writeSync(descriptor, Buffer.concat([torn, encodeFrame(entryOf("whole"))]));
    const { driver, kept } = createMemoryLogs();
    const { lines, logger } = createRecorder();
    const { plugin } = await connectLogs({ driver, stateFolder, logger }, folder.path);
    plugin.onListening();
    await until(() => kept.get("c1")?.length === 1);
    expect(textsOf(kept.get("c1"))).toEqual(["whole"]);
    expect(plugin.logs()[0]?.skippedBytes).toBe(torn.byteLength);
    expect(lines).toContainEqual(expect.objectContaining({ level: "warn", skippedBytes: torn.byteLength }));
    closeSync(descriptor);
  });

  it("reads a container's pipe also while the driver cannot open its log", async () => {
    const { file, descriptor } = makePipe("pipe");
    await keepLogs(stateFolder, [{ file, id: "c1" }]);
    const memory = createMemoryLogs();
    let isFull = true;
    const openLog: typeof memory.driver.openLog = (container) =>
      isFull ? Promise.reject(new Error("disk is full")) : memory.driver.openLog(container);
    const { plugin } = await connectLogs(
      { driver: { ...memory.driver, openLog }, stateFolder, logger: createRecorder().logger },
      folder.path,
    );
    plugin.onListening();
    writeSync(descriptor, encodeFrame(entryOf("lost")));
    await until(() => plugin.logs()[0]?.dropped === 1);
    isFull = false;
    writeSync(descriptor, encodeFrame(entryOf("kept")));
    await until(() => memory.kept.get("c1")?.length === 1);
    expect(memory.losses).toEqual([1]);
    closeSync(descriptor);
  });

  it.each(["is gone", "has no engine", "is left by its engine"])("forgets a pipe that %s", async (what) => {
    const { file, descriptor } = makePipe("pipe");
    await keepLogs(stateFolder, [{ file: what === "is gone" ? `${file}-gone` : file, id: "c1" }]);
    if (what === "has no engine") closeSync(descriptor);
    const { driver, closed } = createMemoryLogs();
    const { plugin } = await connectLogs({ driver, stateFolder, logger: createRecorder().logger }, folder.path);
    plugin.onListening();
    if (what === "is left by its engine") {
      await until(() => plugin.logs().length === 1);
      writeSync(descriptor, encodeFrame(entryOf("last words")));
      closeSync(descriptor);
    }
    await until(() => closed.length === 1);
    expect([plugin.logs(), closed]).toEqual([[], ["c1"]]);
    await plugin.close();
    expect(await keptFiles(stateFolder)).toEqual([]);
  });

  it("keeps a pipe that it cannot open now, for the next one", async () => {
    const file = join(folder.path, "pipe");
    await writeFile(file, "no pipe");
    await keepLogs(stateFolder, [{ file, id: "c1" }]);
    const { lines, logger } = createRecorder();
    const { plugin } = await connectLogs({ driver: createMemoryLogs().driver, stateFolder, logger }, folder.path);
    plugin.onListening();
    await until(() => lines.some(({ message }) => message === "log pipe was not opened again"));
    await plugin.close();
    expect(await keptFiles(stateFolder)).toEqual([file]);
  });

  it("is refused where another reads the pipes", async () => {
    const first = await connectLogs({ driver: createMemoryLogs().driver, stateFolder }, folder.path);
    const log = await first.remote.openLog(containerOf("c1"));
    const { remote } = await connectLogs({ driver: createMemoryLogs().driver, stateFolder }, folder.path);
    await expect(remote.openLog(containerOf("c1"))).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    await first.plugin.close();
    await remote.openLog(containerOf("c2"));
    await log.close().catch(() => {});
  });

  it("waits for one that still closes, and goes on then", async () => {
    const { file, descriptor } = makePipe("pipe");
    await keepLogs(stateFolder, [{ file, id: "c1" }]);
    const closing = await openKeptLogs(stateFolder);
    const { driver, kept } = createMemoryLogs();
    const { lines, logger } = createRecorder();
    const { plugin } = await connectLogs({ driver, stateFolder, logger }, folder.path);
    plugin.onListening();
    writeSync(descriptor, encodeFrame(entryOf("waiting")));
    await until(() => lines.length === 1);
    await closing.close();
    await until(() => kept.get("c1")?.length === 1);
    await plugin.close();
    closeSync(descriptor);
  });
});
