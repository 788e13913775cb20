import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { startCleat } from "../../test/harness/plugins/cleat.ts";
import { openNamespace } from "../../test/harness/namespaces/namespace.ts";
import { singleFileArchive } from "../content/layer-archive.ts";
import type { Measurement } from "../measuring/measure.ts";
import { peakResidentMib } from "../measuring/resident-memory.ts";
import { post, readText } from "./post.ts";

const smallLayers = 2_000;
const layersAtOnce = 20;
const layerMib = 50;

/**
 * The memory that a Cleat process holds, at the most: in a machine's week of small layers, and when many large ones
 * come at once.
 */
export async function measureLayerMemory(): Promise<readonly Measurement[]> {
  const oneByOne = await peakOf(async (apply) => {
    for (let at = 0; at < smallLayers; at++) await apply(`small-${at}`, 0);
  });
  const atOnce = await peakOf(async (apply) => {
    await Promise.all(Array.from({ length: layersAtOnce }, (_, at) => apply(`large-${at}`, layerMib)));
  });
  return [
    resident(`${smallLayers} small layers, one after the other`, oneByOne, 150),
    resident(`${layersAtOnce} layers of ${layerMib} MiB at once`, atOnce, 250),
  ];
}

type Apply = (id: string, sizeMib: number) => Promise<void>;

async function peakOf(fill: (apply: Apply) => Promise<void>): Promise<number> {
  await using namespace = await openNamespace();
  const cleat = await startCleat(namespace, { name: "bench", driver: "overlay2" });
  const home = `${namespace.folder}/home`;
  const call = (method: string, body: object) =>
    post(cleat.socketPath(), method, (sink) => void sink.end(JSON.stringify(body)), readText);
  await call("GraphDriver.Init", { Home: home, Opts: [], UIDMaps: null, GIDMaps: null });
  await fill(async (id, sizeMib) => {
    await call("GraphDriver.Create", { ID: id, Parent: "", MountLabel: "", StorageOpt: null });
    await post(
      cleat.socketPath(),
      `GraphDriver.ApplyDiff?id=${id}&parent=`,
      (sink) => pipeline(Readable.from(singleFileArchive(sizeMib)), sink),
      readText,
    );
  });
  const peakMib = await peakResidentMib(cleat.pid());
  await rm(home, { recursive: true });
  return peakMib;
}

function resident(what: string, peakMib: number, maxMib: number): Measurement {
  const name = `resident memory of Cleat, highest: ${what}`;
  return { name, unit: "MiB", cleat: peakMib, reference: undefined, limit: { max: maxMib } };
}
