/**
 * What the checks of a graph driver's wire must find: one thing wrong at a time, in a plugin that is right otherwise.
 */
import type { IncomingMessage } from "node:http";
import { describeKit } from "../../kit-faults.test.support.ts";
import { cut, type Fault, faultsOf, no } from "../../planted-fault.test.support.ts";
import { engineDialects } from "../../wire/engine-dialects.ts";
import { layerWireChecks } from "./checks.ts";
import { runLayerWireKit } from "./kit.ts";
import { type LayerStore, rightLayers } from "./right-layers.test.support.ts";

const { planted, answered } = faultsOf<LayerStore>();
const docker = engineDialects.filter(({ protocols }) => protocols === undefined);
const stories = docker.map(({ id }) => `engine/${id}-layers`);

function endedByBrokenUploads(): Fault<LayerStore>["wrongs"] {
  let isDead = false;
  return {
    onServer: (server) =>
      void server.prependListener("request", (request: IncomingMessage) => request.on("error", () => (isDead = true))),
    answer: () => (isDead ? "never" : undefined),
  };
}

const faults: readonly Fault<LayerStore>[] = [
  planted("sizes are 0", (right) => ({ apply: async (id, archive) => (await right.apply(id, archive), 0) }), [
    "layer-wire/upload",
  ]),
  planted(
    "diffs have no end",
    (right) => ({ diff: async (id) => (await right.diff(id)).subarray(0, -1024) }),
    ["layer-wire/download"],
    cut,
  ),
  {
    title: "an archive that breaks off ends it",
    wrongs: endedByBrokenUploads(),
    found: ["layer-wire/upload-broken-off"],
    leaves: false,
  },
  planted(
    "no bytes are an empty layer",
    (right) => ({ apply: async (id, archive) => (archive.length === 0 ? 0 : right.apply(id, archive)) }),
    ["layer-wire/upload-of-nothing"],
  ),
  planted(
    "a layer is made by its archive",
    (right) => ({ apply: async (id, archive) => (await right.create(id), right.apply(id, archive)) }),
    ["layer-wire/upload-elsewhere"],
  ),
  ...docker.map(({ headers }, at) =>
    answered(
      `it fails ${stories[at]}`,
      ({ path, headers: sent }) =>
        path.endsWith("DiffSize") && sent.host === headers["Host"] && sent["user-agent"] !== undefined
          ? no(500)
          : undefined,
      [stories[at] ?? ""],
    ),
  ),
];

describeKit({ right: rightLayers, checks: layerWireChecks, faults, run: runLayerWireKit });
