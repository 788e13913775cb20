import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { startCleat } from "../../test/harness/plugins/cleat.ts";
import { runCommand } from "../../test/harness/processes/command.ts";
import { openNamespace } from "../../test/harness/namespaces/namespace.ts";
import { createScratch } from "../../test/harness/namespaces/scratch.ts";
import { layerArchive } from "../content/layer-archive.ts";
import { type Measurement, timeMs } from "../measuring/measure.ts";
import { peakResidentMib } from "../measuring/resident-memory.ts";
import { countBytes, post, readText } from "./post.ts";

const maxResidentMib = 150;

/**
 * Streams one large layer through Cleat's socket, in and out again, and through GNU tar: how fast, and how much memory
 * the Cleat process holds meanwhile.
 */
export async function measureLayerStream(sizeGib: number): Promise<readonly Measurement[]> {
  const sizeMib = sizeGib * 1024;
  const tar = await streamThroughTar(sizeGib);
  const cleat = await streamThroughCleat(sizeGib);
  const throughput = (name: string, cleatMs: number, tarMs: number): Measurement => ({
    name: `${name}, a layer of ${sizeGib} GiB`,
    unit: "MiB/s",
    cleat: (sizeMib * 1000) / cleatMs,
    reference: { name: "GNU tar", value: (sizeMib * 1000) / tarMs },
    limit: undefined,
  });
  return [
    throughput("ApplyDiff", cleat.inMs, tar.inMs),
    throughput("Diff", cleat.outMs, tar.outMs),
    {
      name: "resident memory of Cleat, highest",
      unit: "MiB",
      cleat: cleat.peakMib,
      reference: undefined,
      limit: { max: maxResidentMib },
    },
  ];
}

async function streamThroughTar(sizeGib: number) {
  await using scratch = await createScratch();
  const folder = `${scratch.path}/layer`;
  await mkdir(folder);
  await runCommand(["sync"]);
  // Cleat's ApplyDiff returns when the layer is on the disk; tar's time counts to the same point.
  const inMs = await timeMs(async () => {
    const extract = spawn("tar", ["--extract", `--directory=${folder}`], { stdio: ["pipe", "ignore", "inherit"] });
    const ended = once(extract, "exit");
    await pipeline(Readable.from(layerArchive(sizeGib)), extract.stdin);
    await ended;
    await runCommand(["sync", "--file-system", folder]);
  });
  const outMs = await timeMs(async () => {
    const create = spawn("tar", ["--create", `--directory=${folder}`, "."], { stdio: ["ignore", "pipe", "inherit"] });
    await countBytes(create.stdout);
  });
  return { inMs, outMs };
}

async function streamThroughCleat(sizeGib: number) {
  await using namespace = await openNamespace();
  const cleat = await startCleat(namespace, { name: "bench", driver: "overlay2" });
  const home = `${namespace.folder}/home`;
  const call = (method: string, body: object) =>
    post(cleat.socketPath(), method, (sink) => void sink.end(JSON.stringify(body)), readText);
  await call("GraphDriver.Init", { Home: home, Opts: [], UIDMaps: null, GIDMaps: null });
  await call("GraphDriver.Create", { ID: "layer", Parent: "", MountLabel: "", StorageOpt: null });
  await runCommand(["sync"]);
  const inMs = await timeMs(() =>
    post(
      cleat.socketPath(),
      "GraphDriver.ApplyDiff?id=layer&parent=",
      (sink) => pipeline(Readable.from(layerArchive(sizeGib)), sink),
      readText,
    ),
  );
  const outMs = await timeMs(() =>
    post(
      cleat.socketPath(),
      "GraphDriver.Diff",
      (sink) => void sink.end(JSON.stringify({ ID: "layer", Parent: "" })),
      async (answer) => {
        const sizeBytes = await countBytes(answer);
        if (sizeBytes < sizeGib * 1024 ** 3) throw new Error(`Diff ended after ${sizeBytes} bytes`);
      },
    ),
  );
  const peakMib = await peakResidentMib(cleat.pid());
  await rm(home, { recursive: true });
  return { inMs, outMs, peakMib };
}
