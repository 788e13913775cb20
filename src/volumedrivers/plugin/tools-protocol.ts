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
