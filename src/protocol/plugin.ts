import { z } from "zod";
import { defineProtocol } from "./define-protocol.ts";
import { goStruct } from "./go-json.ts";

/** What every plugin answers: which protocols it speaks. The body of the request is empty. */
export const pluginProtocol = defineProtocol({
  name: "Plugin",
  methods: {
    activate: {
      path: "/Plugin.Activate",
      framing: "json",
      request: goStruct({}),
      response: goStruct({ Implements: z.array(z.string()).default([]) }),
      timeoutMs: 10_000,
      source: "moby v20.10.24 pkg/plugins/plugins.go",
    },
  },
});
