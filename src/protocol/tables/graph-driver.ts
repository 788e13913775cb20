/**
 * Fields keep the wire's spelling. Docker leaves out what is empty (`omitempty`), so every field of an answer has a
 * default, and every optional argument may be absent. Four fields are Cleat's additions, which Go's decoder skips:
 * see `capabilities` and `changes`.
 */
import { z } from "zod";
import { defineProtocol } from "../definition/define-protocol.ts";
import { goBytes, goStruct } from "../definition/go-json.ts";
import { tarMediaType } from "../definition/media-type.ts";

const proxy = "moby v20.10.24 daemon/graphdriver/proxy.go";
const minuteMs = 60_000;

/** Source: moby v20.10.24 `pkg/idtools/idtools.go`, `IDMap`. */
const idMap = goStruct({ container_id: z.int().min(0), host_id: z.int().min(0), size: z.int().min(0) });
/**
 * An empty list would be a map in which nobody, not even root, has an id; Go writes `null` for none. Source: same file,
 * `toHost`.
 */
const idMaps = z.codec(z.array(z.unknown()).nullish(), z.array(idMap), {
  decode: (maps) => maps ?? [],
  encode: (maps) => (maps.length === 0 ? null : maps),
});

const change = goStruct({
  Path: z.string(),
  Kind: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  PathBytes: goBytes.optional(),
});

const layer = goStruct({ ID: z.string() });
const layerAndParent = goStruct({ ID: z.string(), Parent: z.string().optional() });
const newLayer = goStruct({
  ID: z.string(),
  Parent: z.string().optional(),
  MountLabel: z.string().optional(),
  StorageOpt: z.record(z.string(), z.string()).optional(),
});
const nothing = goStruct({});

export const graphDriverProtocol = defineProtocol({
  name: "GraphDriver",
  summary:
    "Docker's graph driver plugins: Docker 20.10 to 27, with `--experimental`. Docker sets no deadlines for graph " +
    "drivers; those here are the ones of Cleat's own client.",
  methods: {
    init: {
      summary:
        "Opens the store in a home, in the plugin's own where that is empty; the first call of an engine. Without " +
        "maps of users nobody is mapped.",
      path: "/GraphDriver.Init",
      framing: "json",
      request: goStruct({
        // Without one it is what Docker's client sends after the first try was lost: nothing.
        Home: z.string(),
        Opts: z.array(z.string()).default([]),
        UIDMaps: idMaps,
        GIDMaps: idMaps,
      }),
      response: nothing,
      subject: "Home",
      timeoutMs: 5 * minuteMs,
      source: proxy,
    },
    create: {
      summary: "Makes an empty layer of an image.",
      path: "/GraphDriver.Create",
      framing: "json",
      request: newLayer,
      response: nothing,
      subject: "ID",
      timeoutMs: 10 * minuteMs,
      source: proxy,
    },
    createReadWrite: {
      summary: "Makes the writable layer of a container.",
      path: "/GraphDriver.CreateReadWrite",
      framing: "json",
      request: newLayer,
      response: nothing,
      subject: "ID",
      timeoutMs: 10 * minuteMs,
      source: proxy,
    },
    remove: {
      summary: "Removes a layer. One that does not exist is removed already.",
      path: "/GraphDriver.Remove",
      framing: "json",
      request: layer,
      response: nothing,
      subject: "ID",
      timeoutMs: 10 * minuteMs,
      source: proxy,
    },
    get: {
      summary: "Makes the layer visible as a folder, and counts who holds it. Without a layer, as of `Put`, it fails.",
      path: "/GraphDriver.Get",
      framing: "json",
      request: goStruct({ ID: z.string().default(""), MountLabel: z.string().optional() }),
      response: goStruct({ Dir: z.string() }),
      subject: "ID",
      timeoutMs: 2 * minuteMs,
      source: proxy,
    },
    put: {
      summary:
        "Gives back one `Get`; the last one unmounts. Without a layer, as Docker's client sends it once more when " +
        "the answer was lost, it gives back nothing.",
      path: "/GraphDriver.Put",
      framing: "json",
      request: goStruct({ ID: z.string().default("") }),
      response: nothing,
      subject: "ID",
      timeoutMs: 2 * minuteMs,
      source: proxy,
    },
    exists: {
      summary: "Whether there is such a layer.",
      path: "/GraphDriver.Exists",
      framing: "json",
      safe: true,
      request: layer,
      response: goStruct({ Exists: z.boolean().default(false) }),
      subject: "ID",
      timeoutMs: minuteMs,
      source: proxy,
    },
    status: {
      summary: "What `docker info` prints of the driver: pairs of name and value, in order.",
      path: "/GraphDriver.Status",
      framing: "json",
      safe: true,
      request: nothing,
      response: goStruct({ Status: z.array(z.tuple([z.string(), z.string()])).default([]) }),
      timeoutMs: minuteMs,
      source: proxy,
    },
    getMetadata: {
      summary: "What `docker inspect` prints under `GraphDriver.Data`.",
      path: "/GraphDriver.GetMetadata",
      framing: "json",
      safe: true,
      request: layer,
      response: goStruct({ Metadata: z.record(z.string(), z.string()).default({}) }),
      subject: "ID",
      timeoutMs: minuteMs,
      source: proxy,
    },
    cleanup: {
      summary: "The engine shuts down: every layer is unmounted, whoever holds it, and none is deleted.",
      path: "/GraphDriver.Cleanup",
      framing: "json",
      request: nothing,
      response: nothing,
      timeoutMs: 5 * minuteMs,
      source: proxy,
    },
    diff: {
      summary: "The layer's difference from its parent, as a tar archive.",
      path: "/GraphDriver.Diff",
      framing: "download",
      safe: true,
      mediaType: tarMediaType,
      request: layerAndParent,
      subject: "ID",
      timeoutMs: 10 * minuteMs,
      source: proxy,
    },
    changes: {
      summary:
        "What differs from the parent. `Kind` is 0 modified, 1 added, 2 deleted (moby v20.10.24 " +
        "`pkg/archive/changes.go`). JSON cannot carry a name that is not UTF-8: `Path` has U+FFFD there, and " +
        "`PathBytes`, Cleat's addition and sent only then, has the bytes.",
      path: "/GraphDriver.Changes",
      framing: "json",
      safe: true,
      request: layerAndParent,
      response: goStruct({ Changes: z.array(change).default([]) }),
      list: { field: "Changes", item: change },
      subject: "ID",
      timeoutMs: 10 * minuteMs,
      source: proxy,
    },
    applyDiff: {
      summary: "Fills a layer with a tar archive. `id` and `parent` come in the query, unescaped.",
      path: "/GraphDriver.ApplyDiff",
      framing: "upload",
      mediaType: tarMediaType,
      request: goStruct({ id: z.string(), parent: z.string().optional() }),
      response: goStruct({ Size: z.int().default(0) }),
      subject: "id",
      timeoutMs: 10 * minuteMs,
      source: proxy,
    },
    diffSize: {
      summary: "How many bytes of files the layer adds to its parent.",
      path: "/GraphDriver.DiffSize",
      framing: "json",
      safe: true,
      request: layerAndParent,
      response: goStruct({ Size: z.int().default(0) }),
      subject: "ID",
      timeoutMs: 10 * minuteMs,
      source: proxy,
    },
    capabilities: {
      summary:
        "What the driver can do beyond the rest. Docker reads `ReproducesExactDiffs`; `Mounts`, `EnforcesSize` and " +
        "`MaxDepth` (-1: no limit) are Cleat's additions and tell Cleat's client the others.",
      path: "/GraphDriver.Capabilities",
      framing: "json",
      safe: true,
      optional: true,
      request: nothing,
      response: goStruct({
        Capabilities: goStruct({
          ReproducesExactDiffs: z.boolean().default(false),
          Mounts: z.boolean().optional(),
          EnforcesSize: z.boolean().optional(),
          MaxDepth: z.int().optional(),
        }).default({ ReproducesExactDiffs: false }),
      }),
      timeoutMs: minuteMs,
      source: proxy,
    },
  },
});
