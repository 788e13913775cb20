import { closeSync, constants, openSync, writeSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { logDriverProtocol } from "../protocol/index.ts";
import { createClient } from "../transport/index.ts";
import { encodeFrame } from "./entry-codec.ts";
import {
  connectLogs,
  createMemoryLogs,
  createPipeFolder,
  createRecorder,
  entryOf,
  infoOf,
  textOf,
} from "./log-plugin.test.support.ts";

vi.mock("node:fs", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:fs")>();
  return { ...original, openSync: vi.fn(original.openSync) };
});

const tooMany = Object.assign(new Error("EMFILE: too many open files"), {
  code: "EMFILE",
  syscall: "open",
  errno: -24,
});

it("a log that ends while no descriptor is left has all that was in its pipe, and is let go", async () => {
  await using folder = await createPipeFolder();
  const { driver, kept, closed } = createMemoryLogs();
  const { transport, plugin } = await connectLogs({ driver, logger: createRecorder().logger }, folder.path);
  const client = createClient(logDriverProtocol, transport);
  const file = folder.makePipe("pipe");
  const descriptor = openSync(file, constants.O_RDWR | constants.O_NONBLOCK);
  await client.startLogging({ File: file, Info: infoOf("c1") });
  const lines = Array.from({ length: 3_000 }, (_, at) => entryOf(`line ${at}`));
  writeSync(descriptor, Buffer.concat(lines.map(encodeFrame)));
  vi.mocked(openSync).mockImplementation(() => {
    throw tooMany;
  });
  await client.stopLogging({ File: file });
  expect(kept.get("c1")?.map(textOf)).toEqual(lines.map(textOf));
  expect([plugin.logs(), closed]).toEqual([[], ["c1"]]);
  closeSync(descriptor);
});
