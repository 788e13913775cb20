import { closeSync, constants, openSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { logDriverProtocol } from "../protocol/index.ts";
import { createClient } from "../transport/index.ts";
import type { LogDriver, LogEntry } from "./driver.ts";
import { encodeFrame } from "./entry-codec.ts";
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
import { timed } from "../../test/patience.ts";

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
const { logger } = createRecorder();

/** As an engine holds it. */
const holdPipe = (file: string) => openSync(file, constants.O_RDWR | constants.O_NONBLOCK);

it.each(["oldest", "newest"] as const)("a line longer than the buffer is lost alone (%s)", async (drop) => {
  const { driver, kept, losses } = createMemoryLogs();
  const options = { driver, drop, maxBufferBytes: 4096, logger };
  const { remote, plugin } = await connectLogs(options, folder.path);
  const log = await remote.openLog(containerOf("c1"));
  await log.write([entryOf("x".repeat(8192))], noLoss);
  await until(() => plugin.logs()[0]?.entries === 1);
  await log.write([entryOf("after")], noLoss);
  await log.close();
  expect([textsOf(kept.get("c1")), losses]).toEqual([["after"], [1]]);
});

describe("a driver that hangs as it opens a log", () => {
  /** For containers named "hung" only. */
  function createHungLogs() {
    const memory = createMemoryLogs();
    const openLog: LogDriver["openLog"] = (container, call) =>
      container.id === "hung" ? new Promise(() => {}) : memory.driver.openLog(container, call);
    return { ...memory, driver: { ...memory.driver, openLog } };
  }

  it("keeps no other container waiting after a restart, and that one's pipe is read", async () => {
    const file = folder.makePipe("pipe");
    const descriptor = holdPipe(file);
    await keepLogs(stateFolder, [{ file, id: "hung" }]);
    const { driver, kept } = createHungLogs();
    const { remote, plugin } = await connectLogs({ driver, stateFolder, logger, stopTimeoutMs: 50 }, folder.path);
    plugin.onListening();
    const log = await remote.openLog(containerOf("c1"));
    await log.write([entryOf("said")], noLoss);
    await log.close();
    expect(textsOf(kept.get("c1"))).toEqual(["said"]);
    writeSync(descriptor, encodeFrame(entryOf("lost")));
    await until(() => plugin.logs().some(({ containerId, entries }) => containerId === "hung" && entries === 1));
    await plugin.close();
    expect(await keptFiles(stateFolder)).toEqual([file]);
    closeSync(descriptor);
  });

  it("does not keep the plugin from closing, nor the container from ending", async () => {
    const file = folder.makePipe("pipe");
    const descriptor = holdPipe(file);
    const { driver, closed } = createHungLogs();
    const { transport, plugin } = await connectLogs({ driver, logger, stopTimeoutMs: 50 }, folder.path);
    const client = createClient(logDriverProtocol, transport);
    const starting = client.startLogging({ File: file, Info: infoOf("hung") }).catch(() => "given up");
    await new Promise((resolve) => setImmediate(resolve));
    await client.stopLogging({ File: file });
    await plugin.close();
    expect(closed).toEqual(["driver"]);
    await transport.close();
    expect(await starting).toBe("given up");
    closeSync(descriptor);
  });
});

describe("a driver that is slow everywhere has one deadline for all of it", () => {
  const stopTimeoutMs = 1_000;
  const hangs = () => new Promise<never>(() => {});
  const later = (afterMs: number) => new Promise<void>((resolve) => setTimeout(resolve, afterMs));
  const took = async (work: () => Promise<unknown>) => {
    const startedAt = performance.now();
    await work();
    return performance.now() - startedAt;
  };
  const driver: LogDriver = {
    name: "slow",
    async openLog({ id }) {
      if (id === "opening") await later(0.8 * stopTimeoutMs);
      return { write: hangs, close: hangs };
    },
    close: async () => {},
  };

  it("when a container ends whose log is still being opened", timed, async () => {
    const { transport, plugin } = await connectLogs({ driver, logger, stopTimeoutMs }, folder.path);
    const client = createClient(logDriverProtocol, transport);
    const file = folder.makePipe("pipe");
    const descriptor = holdPipe(file);
    const starting = client.startLogging({ File: file, Info: infoOf("opening") });
    writeSync(descriptor, encodeFrame(entryOf("said")));
    expect(await took(() => client.stopLogging({ File: file }))).toBeLessThan(1.5 * stopTimeoutMs);
    await starting;
    await plugin.close();
    await transport.close();
    closeSync(descriptor);
  });

  it("when it is closed while it opens a log, and less when it has waited before for calls to end", timed, async () => {
    for (const waitedMs of [0, 1.6 * stopTimeoutMs]) {
      const { transport, plugin } = await connectLogs({ driver, logger, stopTimeoutMs }, folder.path);
      const client = createClient(logDriverProtocol, transport);
      const file = folder.makePipe(`pipe-${waitedMs}`);
      const descriptor = holdPipe(file);
      const id = waitedMs === 0 ? "opening" : "c1";
      const starting = client.startLogging({ File: file, Info: infoOf(id) }).catch(() => undefined);
      if (waitedMs > 0) await starting;
      await new Promise((resolve) => setImmediate(resolve));
      plugin.onClosing();
      await later(waitedMs);
      const limitMs = (waitedMs === 0 ? 1.5 : 0.7) * stopTimeoutMs;
      expect(await took(() => plugin.close()), `waited ${waitedMs}`).toBeLessThan(limitMs);
      await transport.close();
      await starting;
      closeSync(descriptor);
    }
  });
});
