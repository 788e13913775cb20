/**
 * What a running driver of Cleat's is asked for that engines have no method for, on the socket where engines find it.
 */
import { z } from "zod";
import { defineProtocol, goStruct } from "../../protocol/index.ts";

export const volumeToolsProtocol = defineProtocol({
  name: "CleatVolumes",
  summary: "What `cleat volumes` asks of a running driver of Cleat's beyond Docker's protocol.",
  methods: {
    resize: {
      summary: "Gives a volume another size in bytes, also while it is mounted.",
      path: "/CleatVolumes.Resize",
      framing: "json",
      request: goStruct({ Name: z.string(), SizeBytes: z.int().positive() }),
      response: goStruct({}),
      subject: "Name",
      timeoutMs: 120_000,
      source: "cleat v0.1.0 src/volumedrivers/plugin/tools-protocol.ts",
    },
    prepareRestore: {
      summary: "Says of a new volume how it is to be made, before its archive comes: nothing is made yet.",
      path: "/CleatVolumes.PrepareRestore",
      framing: "json",
      request: goStruct({ Name: z.string(), Opts: z.record(z.string(), z.string()).default({}) }),
      response: goStruct({ ID: z.string() }),
      subject: "Name",
      timeoutMs: 60_000,
      source: "cleat v0.1.0 src/volumedrivers/plugin/tools-protocol.ts",
    },
    restore: {
      summary:
        "Makes a new volume with what a tar archive holds, all of it or nothing. `id` is what PrepareRestore answered.",
      path: "/CleatVolumes.Restore",
      framing: "upload",
      mediaType: "application/x-tar",
      request: goStruct({ id: z.string() }),
      response: goStruct({}),
      timeoutMs: 600_000,
      source: "cleat v0.1.0 src/volumedrivers/plugin/tools-protocol.ts",
    },
    unlock: {
      summary:
        "Says of a host that is not heard from that it is down for good: others may have what it had of a volume.",
      path: "/CleatVolumes.Unlock",
      framing: "json",
      request: goStruct({ Name: z.string(), Host: z.string() }),
      response: goStruct({}),
      subject: "Name",
      timeoutMs: 60_000,
      source: "cleat v0.1.0 src/volumedrivers/plugin/tools-protocol.ts",
    },
  },
});
